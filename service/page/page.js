// The technician's page: draws what the live stream says, and says when it no longer says anything.
"use strict";

import { alerts } from "/alerts.js";
import { Chart } from "/chart.js";
import "/sessions.js";
import { at, command, element, number, set, tell, words } from "/words.js";

const LOST_AFTER = 1500; // ms without a picture (they come four times a second), by this clock
const SPAN = 60; // s, what the charts show
const RANGE = 4; // m, what the picture of the lane spans
const LANE = { from: 46, to: 440 }; // its ends in the drawing
const GUARDS = {
  full: ["Guarding", "The belt looks behind and feels the balance."],
  no_rear: ["Not looking behind", "Balance is felt, but nothing looks behind the wearer."],
  no_imu: ["Not feeling the balance", "It looks behind, but falls cannot be felt."],
  not_guarding: ["Not guarding", "Stop walking backward."],
};
const DIRECTIONS = { still: "standing", forward: "forward", backward: "backward",
  other: "other movement", unknown: "not yet known" };
const REAR = { nothing_in_range: "nothing in range", no_pulse: "no answer from the sensor",
  stuck: "sensor stuck", nak: "sensor gone", glitch: "answer not plausible",
  unknown: "not known" };
const LIVE = {
  distance_m: { title: "Distance behind", unit: "m", digits: 2, floor: 0, roof: 4 },
  lean_deg: { title: "Lean, forward above 0", unit: "°", digits: 0, floor: -15, roof: 15 },
  sway_m_s2: { title: "Sway", unit: "m/s²", digits: 2, floor: 0, roof: 1 },
  lateness_ms: { title: "Lateness of the loop", unit: "ms", digits: 1, floor: 0, roof: 5 },
};
const charts = Object.fromEntries(
  Object.entries(LIVE).map(([key, look]) => [key, new Chart(at("live"), look)]));
const past = []; // pictures of the last SPAN seconds, each with `at` [s] by this clock

let heard = performance.now(); // when the last picture came
let newest = null;

function guard(kind, word, why) {
  at("guard").dataset.guard = kind;
  set("guard-word", word);
  set("guard-why", why);
  document.title = `${word} · Rearguard`;
}

function draw(state) {
  newest = state;
  set("belt", state.belt);
  const [kind, ...scenario] = state.source.split(":");
  const name = scenario.length ? ` (${words(scenario.join(":"))})` : "";
  set("source", { live: "live sensors", simulated: `simulated wearer${name}`,
    replayed: `replayed recording${name}` }[kind] ?? `source ${kind}${name}`);
  at("source").dataset.source = kind;

  const [word, what] = GUARDS[state.guard] ?? GUARDS.not_guarding;
  guard(state.guard, state.online ? word : "Not guarding: the belt is silent",
    state.reason || what);
  behind(state);

  set("direction", DIRECTIONS[state.direction] ?? state.direction);
  set("speed", number(state.speed_m_s === null ? null : Math.abs(state.speed_m_s), 2, "m/s"));
  set("cadence", number(state.cadence_steps_min, 0, "steps/min"));
  const lean = state.lean_deg;
  set("lean", lean === null ? "–" : `${Math.abs(lean).toFixed(0)}° ${lean < 0 ? "back" : "forward"}`);
  set("motor", state.motor === null ? "–" : state.motor > 0 ? `on, ${Math.round(state.motor * 100)} %` : "off");
  at("motor").toggleAttribute("data-on", state.motor > 0);
  set("battery", state.battery === null ? "not measured" : `${Math.round(state.battery * 100)} %`);
  at("wearer").style.transform = `rotate(${Math.max(-85, Math.min(85, -(lean ?? 0)))}deg)`;

  rows(state.streams);
  service(state.service, state.streams);
}

function behind(state) {
  const d = state.distance_m;
  const text = d === null ? REAR[state.rear] ?? "not known" : `${d.toFixed(2)} m`;
  at("behind").dataset.level = state.level;
  set("distance", text);
  set("lane-text", `Distance behind the wearer: ${text}`);
  const x = LANE.from + Math.min(1, (d ?? 0) / RANGE) * (LANE.to - LANE.from - 22);
  at("thing").setAttribute("visibility", d === null ? "hidden" : "visible");
  at("thing").setAttribute("transform", `translate(${x} 0)`);
  at("gap").setAttribute("d", `M${LANE.from} 96H${d === null ? LANE.from : x}`);
  const closing = state.closing_m_s;
  set("closing", d === null || closing === null ? ""
    : closing > 0.05 ? `closing at ${closing.toFixed(2)} m/s`
      + (state.time_to_collision_s === null ? "" : `, ${state.time_to_collision_s.toFixed(1)} s left`)
    : "not closing");
}

function curves() { // also while nothing comes: the gap is part of the picture
  const now = performance.now() / 1000;
  while (past.length && past[0].at < now - SPAN) past.shift();
  if (document.hidden) return;
  const t = past.map((state) => state.at);
  for (const [key, chart] of Object.entries(charts)) {
    const values = past.map((state) => state[key] ?? null);
    chart.draw({ t, low: values, high: values, from: now - SPAN, to: now, left: `${SPAN} s ago`,
      right: "now", now: document.body.hasAttribute("data-lost") ? null : newest?.[key] });
  }
}

function rows(streams) {
  const body = at("streams");
  for (const [name, stream] of Object.entries(streams)) {
    let row = at(`stream-${name}`);
    if (!row) {
      row = body.insertRow();
      row.id = `stream-${name}`;
      const head = element("th", stream.name);
      head.scope = "row";
      row.append(head);
      for (let n = 0; n < 3; n++) row.insertCell();
      row.cells[3].append(element("span", ""), element("small", ""));
    }
    row.dataset.health = stream.health;
    row.toggleAttribute("data-guards", stream.guards);
    row.cells[1].textContent = stream.age_s === null ? "–" : `${stream.age_s.toFixed(1)} s`;
    row.cells[2].textContent = stream.expected_hz === null ? "–" : `${stream.expected_hz.toFixed(0)}/s`;
    row.cells[3].firstChild.textContent = stream.health;
    row.cells[3].lastChild.textContent = stream.detail;
  }
}

function service(found, { broker, clock }) {
  const waiting = found.oldest_waiting_raised_at;
  const known = clock.health === "fresh";
  const facts = {
    Caregivers: broker.health === "fresh" ? "reached through the broker"
      : `${found.delivery === "unproven" ? "perhaps reached" : "not reached"}: ${broker.detail}`,
    "Waiting to be sent": found.waiting ? `${found.waiting}, since ${new Date(waiting).toLocaleTimeString()}` : "nothing",
    "Device answers": found.device_answers ? "yes" : "no",
    Times: known ? "of a clock that is set" : "of a clock that is not set: they may be wrong",
  };
  const list = at("service");
  if (!list.children.length)
    for (const name of Object.keys(facts))
      list.append(element("dt", name), element("dd", ""));
  Object.values(facts).forEach((text, n) => {
    const cell = list.children[2 * n + 1];
    if (cell.textContent !== text) cell.textContent = text;
  });
}

async function selfTest() {
  const show = at("test-result"), list = at("test-list");
  at("test").disabled = true;
  list.hidden = true;
  show.textContent = "Asking the belt …";
  try {
    const result = await command("test", {});
    const failing = Object.values(newest?.streams ?? {}).filter((s) => s.guards && s.health !== "fresh");
    const played = result ? `the motor: ${result.detail || result.state}` : "the belt took it, but no result came within 2 s";
    show.textContent = `${failing.length ? `${failing.length} of what guards is not well` : "All that guards is fresh"}; ${played}. Was it felt?`;
    list.replaceChildren(...Object.values(newest?.streams ?? {}).map((s) =>
      element("li", `${s.name}: ${s.health}${s.detail ? `, ${s.detail}` : ""}`)));
    list.hidden = false;
  } catch (error) {
    tell(show, `Self-test: ${error.message}`, error.status);
  }
  at("test").disabled = false;
}

function listen() {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("state", (event) => {
    heard = performance.now();
    const state = JSON.parse(event.data);
    past.push({ ...state, at: heard / 1000 });
    draw(state);
    freshness();
  });
  stream.addEventListener("alerts", (event) => alerts(JSON.parse(event.data).episodes));
  stream.addEventListener("error", async () => {
    if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
    const answer = await fetch("/api/v1/status").catch(() => null);
    if (answer?.status === 401) location.reload(); // the log-in has ended: show the form
    else setTimeout(listen, 3000);
  });
}

function freshness() {
  const age = performance.now() - heard;
  const lost = age > LOST_AFTER;
  const seconds = Math.floor(age / 1000);
  at("stale").hidden = !lost;
  document.body.toggleAttribute("data-lost", lost);
  at("as-of").textContent = newest ? `Data is ${seconds} s old.` : "";
  if (!lost) return;
  set("stale", newest ? `No connection to the belt: data is ${seconds} s old`
    : `No connection to the belt: no data for ${seconds} s`);
  guard("unknown", "Not known", "This page hears nothing from the belt. Do not rely on it.");
}

function ticks() {
  const svg = "http://www.w3.org/2000/svg";
  for (let metre = 0; metre <= RANGE; metre++) {
    const x = LANE.from + (metre / RANGE) * (LANE.to - LANE.from - 22);
    const line = document.createElementNS(svg, "path");
    line.setAttribute("class", "tick");
    line.setAttribute("d", `M${x} 96v6`);
    const text = document.createElementNS(svg, "text");
    text.setAttribute("x", x);
    text.setAttribute("y", 116);
    text.setAttribute("text-anchor", "middle");
    text.textContent = metre === RANGE ? `${metre} m` : metre;
    at("ticks").append(line, text);
  }
}

ticks();
listen();
setInterval(() => { freshness(); curves(); }, 250);
at("test").addEventListener("click", selfTest);
