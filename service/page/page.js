// The technician's page: draws what the live stream says, and says when it no longer says anything.
"use strict";

const LOST_AFTER = 1500; // ms without a picture (they come four times a second), by this clock
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
const STREAMS = { loop: "Device", imu: "Motion sensor", rear: "Rear sensor" };

const at = (id) => document.getElementById(id);
const words = (text) => text.replaceAll("_", " ");
let heard = performance.now(); // when the last picture came
let any = false; // whether one has come at all

function set(id, text) { // only when it changes, so that screen readers are not kept talking
  if (at(id).textContent !== text) at(id).textContent = text;
}

function number(value, digits, unit) {
  return value === null || value === undefined ? "–" : `${value.toFixed(digits)} ${unit}`;
}

function guard(kind, word, why) {
  at("guard").dataset.guard = kind;
  set("guard-word", word);
  set("guard-why", why);
  document.title = `${word} · Rearguard`;
}

function draw(state) {
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
  service(state.service);
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

function rows(streams) {
  const body = at("streams");
  for (const [name, stream] of Object.entries(streams)) {
    let row = at(`stream-${name}`);
    if (!row) {
      row = body.insertRow();
      row.id = `stream-${name}`;
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = STREAMS[name] ?? name;
      row.append(head);
      row.insertCell();
      row.insertCell();
    }
    row.dataset.health = stream.health;
    row.cells[1].textContent = stream.age_s === null ? "–" : `${stream.age_s.toFixed(1)} s`;
    row.cells[2].textContent = stream.health;
  }
}

function service(found) {
  const facts = {
    Caregivers: found.broker === "connected" ? "reached through the broker" : `not reached: ${found.broker}`,
    "Waiting to be told": found.waiting ? `${found.waiting}, since ${clock(found.oldest_waiting_raised_at)}` : "nothing",
    "Device answers": found.device_answers ? "yes" : "no",
    Storage: found.storage,
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

function element(tag, text, name = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function clock(written) {
  return written ? new Date(written).toLocaleTimeString() : "?";
}

function urgent(episodes) { // a fall must not be overlooked because the belt still guards
  const lines = episodes.map((episode) => {
    const line = document.createElement("p");
    line.append(element("strong", words(episode.event)), ` since ${clock(episode.raised_at)}`,
      episode.state === "acknowledged" ? `, acknowledged by ${episode.by}. ` : ". ", episode.helper);
    return line;
  });
  const told = lines.map((line) => line.textContent).join("");
  if (at("urgent").textContent !== told) at("urgent").replaceChildren(...lines);
  at("urgent").hidden = !lines.length;
}

function alerts(episodes) {
  urgent(episodes.filter((episode) => episode.open && episode.level === "danger"));
  at("no-alerts").hidden = episodes.length > 0;
  const focused = document.activeElement?.dataset?.ack;
  at("list").replaceChildren(...episodes.map(alert));
  if (focused) [...document.querySelectorAll("[data-ack]")].find((b) => b.dataset.ack === focused)?.focus();
}

function alert(episode) {
  const item = document.createElement("li");
  item.toggleAttribute("data-open", episode.open);
  const level = element("span", episode.level, "level");
  level.dataset.level = episode.level;
  const text = document.createElement("div");
  text.append(element("div", words(episode.event) + (episode.test ? " (test)" : ""), "name"));
  const day = new Date(episode.raised_at).toDateString() === new Date().toDateString()
    ? "" : `${new Date(episode.raised_at).toLocaleDateString()} `;
  const told = episode.delivered ? "told" : "waiting to be told";
  const changed = episode.state === "raised" ? "open" : `${episode.state} ${clock(episode.changed_at)}`;
  const by = episode.by ? ` by ${episode.by}` : "";
  text.append(element("div", `${day}${clock(episode.raised_at)} · ${changed}${by} · ${told}`, "small"));
  if (episode.detail) text.append(element("div", episode.detail, "small"));
  if (episode.open) text.append(element("div", episode.helper, "small"));
  item.append(level, text);
  if (episode.open && episode.state !== "acknowledged") {
    const button = element("button", "Acknowledge");
    button.type = "button";
    button.dataset.ack = episode.alert_id;
    button.setAttribute("aria-label", `Acknowledge ${words(episode.event)} of ${clock(episode.raised_at)}`);
    button.addEventListener("click", () => command("ack", { alert_id: episode.alert_id }, button));
    item.append(button);
  }
  return item;
}

async function command(name, values, button) {
  const show = at("test-result");
  button.disabled = true;
  show.textContent = `${name}: asking the belt …`;
  try {
    const answer = await fetch(`/api/v1/commands/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Rearguard": "page" },
      body: JSON.stringify(values),
    });
    const body = await answer.json();
    if (answer.status === 401) {
      show.replaceChildren(`${name}: the belt asks for its token: `);
      const link = element("a", "log in");
      link.href = "/login";
      show.append(link);
    } else if (!answer.ok) show.textContent = `${name}: ${body.detail}`;
    else if (!body.result) show.textContent = `${name}: the belt took it, but no result came within 2 s`;
    else show.textContent = `${name}: ${body.result.detail || body.result.state} (${clock(body.result.raised_at)})`;
  } catch (error) {
    show.textContent = `${name}: the service does not answer (${error.message})`;
  }
  button.disabled = false;
}

function listen() {
  const stream = new EventSource("/api/v1/events");
  stream.addEventListener("state", (event) => {
    heard = performance.now();
    any = true;
    draw(JSON.parse(event.data));
    freshness();
  });
  stream.addEventListener("alerts", (event) => alerts(JSON.parse(event.data).episodes));
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000); // refused: ask again
  });
}

function freshness() {
  const age = performance.now() - heard;
  const lost = age > LOST_AFTER;
  at("stale").hidden = !lost;
  document.body.toggleAttribute("data-lost", lost);
  if (!lost) return;
  const seconds = Math.floor(age / 1000);
  set("stale", any ? `No connection to the belt: data is ${seconds} s old`
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
setInterval(freshness, 250);
at("test").addEventListener("click", () => command("test", {}, at("test")));
