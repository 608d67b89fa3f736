// The walks: who wears the belt, what this week asks, start and stop, screening, efforts, report.
"use strict";

import { ask, at, clock, command, day, element, number, set, tell, walked, words } from "/words.js";

const EVERY = 3000; // ms between looks
const SHOWN = 12; // walks
const SILENT = 30; // s; a walk under way is told of every ten
const START = ["start", "perception", "walk-test"]; // what the belt refuses during a walk
const BORG = ["nothing at all", "very light", "light", "moderate", "somewhat hard", "hard", "",
  "very hard", "", "", "extremely hard"]; // CR10's own words at its numbers
const PHASES = { backward: "Walking backward", forward: "Brisk forward", rest: "Rest", paused: "Paused" };

const post = (path, values) => ask(path, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-Rearguard": "page" },
  body: JSON.stringify(values),
});
let wearing = null; // by the device's newest record
let programmes = {};

// Does what a button asks and says what became of it; the button waits meanwhile
async function act(button, doing, work) {
  at("said").hidden = false;
  at("said").removeAttribute("data-refused");
  at("said").textContent = `${doing} …`;
  button.disabled = true;
  try {
    const result = await work();
    at("said").textContent = result ? result.detail || `${doing}: done` : `${doing}: the belt took it`;
  } catch (error) {
    at("said").toggleAttribute("data-refused", true);
    tell(at("said"), error.message, error.status);
  }
  button.disabled = false;
  await look();
}

function option(value, text) {
  const made = element("option", text);
  made.value = value;
  return made;
}

function now(session, time) {
  const running = session?.state === "raised";
  const silent = running ? (new Date(time) - new Date(session.changed_at)) / 1000 : 0;
  const totals = session?.totals ?? {};
  // One walk at a time; of a belt that has fallen silent a new one may be asked. "Stop" is always
  // there: it ends a test as well.
  for (const one of START) at(one).disabled = running && silent <= SILENT;
  at("dose").hidden = !running;
  if (!running) return set("state", "No walk under way");
  const minutes = (totals.dose_s ?? 0) / 60;
  const goal = (totals.goal_s ?? 0) / 60;
  at("dose").value = goal ? Math.min(1, minutes / goal) : 0;
  if (silent > SILENT) return set("state", `No word of the walk for ${silent.toFixed(0)} s`);
  return set("state", `${PHASES[session.phase] ?? words(session.phase)}: ${minutes.toFixed(1)} of ${goal.toFixed(0)} min`);
}

function course(found) {
  const asks = found?.course;
  set("goal", asks ? `This week: ${asks.goal}; ${asks.done} done.` : "No programme: the plan's own goal counts.");
  if (asks && at("programme").dataset.of !== asks.programme) at("programme").value = asks.programme;
  at("programme").dataset.of = asks?.programme ?? "none";
}

function past(sessions) {
  at("none").hidden = sessions.length > 0;
  const made = JSON.stringify(sessions);
  if (at("list").dataset.made === made || at("list").contains(document.activeElement)) return;
  at("list").dataset.made = made; // and a choice being made in it is not taken away
  at("list").replaceChildren(...sessions.map(walk));
}

function walk(session) {
  const totals = session.totals;
  const item = document.createElement("li");
  const text = document.createElement("div");
  text.append(
    element("div", `${day(session.started_at)}${clock(session.started_at)} · ${session.wearer}`, "name"),
    element("div", [
      number((totals.dose_s ?? 0) / 60, 1, "min backward"),
      totals.distance_m === undefined ? "" : walked(totals),
      totals.speed_m_s === undefined ? "" : number(totals.speed_m_s, 2, "m/s"),
      session.ended ? `ended: ${words(session.ended)}` : words(session.detail),
      session.borg_cr10 === null ? "" : `effort ${session.borg_cr10}`,
    ].filter(Boolean).join(" · "), "small"));
  item.append(text);
  if (session.borg_cr10 === null && session.state !== "raised") item.append(effort(session));
  return item;
}

function effort(session) {
  const form = document.createElement("form");
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", `How hard was the walk of ${clock(session.started_at)}?`);
  choice.required = true;
  choice.append(option("", "How hard was it?"),
    ...BORG.map((word, n) => option(n, word ? `${n}: ${word}` : `${n}`)));
  const button = element("button", "Say");
  form.append(choice, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(button, "How hard it was", async () => {
      await post(`/api/v1/sessions/${encodeURIComponent(session.session)}/effort`, { borg_cr10: Number(choice.value) });
      choice.blur();
      return { detail: `Effort ${choice.value} is kept` };
    });
  });
  return form;
}

function question([key, text]) {
  const set = document.createElement("fieldset");
  set.append(element("legend", text));
  for (const [value, word] of [["true", "yes"], ["false", "no"]]) {
    const label = element("label", ` ${word}`);
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: key, value, required: true });
    label.prepend(input);
    set.append(label);
  }
  return set;
}

async function look() {
  try {
    const [{ wearers, wearing: who, screening, time }, { sessions }] = await Promise.all(
      [ask("/api/v1/wearers"), ask(`/api/v1/sessions?limit=${SHOWN}`)]);
    wearing = who;
    if (document.activeElement !== at("wearer") && who) at("wearer").value = who;
    at("wearers").replaceChildren(...wearers.map((name) => option(name, name)));
    set("screened", screening ? `Screening of ${day(screening.raised_at)}${clock(screening.raised_at)}: ${screening.detail}`
      : "Not screened yet: no walk is begun without it.");
    at("report").hidden = !wearers.includes(who);
    at("report").href = `/api/v1/wearers/${encodeURIComponent(who)}/report`;
    course(wearers.includes(who) ? await ask(`/api/v1/wearers/${encodeURIComponent(who)}/progress`) : null);
    now(sessions[0], time);
    past(sessions);
  } catch (error) {
    set("state", `Not known: ${error.message}`);
  }
}

function source() {
  const chosen = programmes[at("programme").value];
  set("source", chosen ? `${chosen.sessions_a_week} a week, ${Math.min(...chosen.minutes)} to ${Math.max(...chosen.minutes)} min. ${chosen.source}: ${chosen.found}.` : "");
}

async function begin() {
  const [{ questions, place }, offered, plans] = await Promise.all(
    ["screening", "programmes", "plans"].map((name) => ask(`/api/v1/${name}`)));
  programmes = offered;
  at("plan").append(option("", "the usual plan"), ...Object.entries(plans).map(([name, it]) => option(name, it.title)));
  at("programme").append(option("none", "none"), ...Object.entries(offered).map(([name, it]) => option(name, it.title)));
  at("questions").append(...Object.entries(questions).map(question));
  at("place").append(...place.map((line) => element("li", line)));
  await look();
  source();
  setInterval(() => document.hidden || look(), EVERY);
}

const on = (id, kind, work) => at(id).addEventListener(kind, (event) => {
  event.preventDefault();
  work(event.submitter ?? event.target, event);
});
on("begin", "submit", (button) => act(button, "Start", () => {
  const plan = at("plan").value;
  return command("start", plan ? { plan } : {});
}));
on("stop", "click", (button) => act(button, "Stop", () => command("stop", {})));
on("who", "submit", (button) => act(button, "Change of wearer", () => command("profile", { name: at("wearer").value.trim() })));
on("perception", "click", (button) => act(button, "Perception test", () => command("perception", {})));
on("walk-test", "click", (button) => act(button, "Walk test", () => command("walk_test", {})));
on("course", "submit", (button) => act(button, "Programme", async () => {
  if (!wearing) throw new Error("nobody wears the belt yet: change the wearer first");
  await post(`/api/v1/wearers/${encodeURIComponent(wearing)}/programme`, { name: at("programme").value });
  return { detail: at("programme").value === "none" ? "The programme is ended" : "The programme begins today" };
}));
on("answers", "submit", (button) => act(button, "Screening", async () => {
  const given = new FormData(at("answers"));
  const result = await command("screening", { answers: Object.fromEntries([...given].map(([key, value]) => [key, value === "true"])) });
  at("screening").open = false;
  return result;
}));
at("programme").addEventListener("change", source);
begin().catch((error) => set("state", `Not known: ${error.message}`));
