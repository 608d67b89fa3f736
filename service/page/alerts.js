// Alerts: what is open, the chain of each, and the black box's recording of it, drawn.
"use strict";

import { Chart } from "/chart.js";
import { ask, at, clock, command, day, element, tell, words } from "/words.js";

const CURVES = {
  range: { title: "Distance behind", digits: 2, floor: 0, roof: 2 },
  force: { title: "Specific force", digits: 1, floor: 0, roof: 15 },
  turn: { title: "Turning", digits: 1, floor: 0, roof: 3 },
};
const items = new Map(); // alert_id → its item, kept so that what is open stays open

export function alerts(episodes) {
  urgent(episodes.filter((episode) => episode.open && episode.level === "danger"));
  at("no-alerts").hidden = episodes.length > 0;
  const focused = document.activeElement;
  const shown = episodes.map((episode) => {
    if (!items.has(episode.alert_id)) items.set(episode.alert_id, item());
    fill(items.get(episode.alert_id), episode);
    return items.get(episode.alert_id);
  });
  for (const [id, made] of items) if (!shown.includes(made)) items.delete(id);
  const list = at("list");
  if (shown.length !== list.children.length || shown.some((made, n) => made !== list.children[n])) {
    list.replaceChildren(...shown);
    if (document.contains(focused)) focused.focus();
  }
}

function urgent(episodes) { // a fall must not be overlooked because the belt still guards
  const lines = episodes.map((episode) => {
    const line = document.createElement("p");
    line.append(element("strong", words(episode.event)), ` since ${clock(episode.raised_at)}`,
      episode.state === "acknowledged" ? `, acknowledged by ${episode.by}. ` : ". ", episode.helper);
    return line;
  });
  const said = lines.map((line) => line.textContent).join("");
  if (at("urgent").textContent !== said) at("urgent").replaceChildren(...lines);
  at("urgent").hidden = !lines.length;
}

function item() {
  const made = document.createElement("li");
  made.level = element("span", "", "level");
  made.name = element("div", "", "name");
  made.about = document.createElement("div");
  made.acknowledge = button("Acknowledge");
  made.recording = button("Recording");
  made.chain = document.createElement("details");
  made.chain.append(element("summary", "What happened"), document.createElement("ol"));
  made.chain.addEventListener("toggle", () => { if (made.chain.open) chain(made); });
  made.acknowledge.addEventListener("click", async () => {
    made.acknowledge.disabled = true;
    try {
      await command("ack", { alert_id: made.episode.alert_id });
      at("told").textContent = "";
    } catch (error) {
      tell(at("told"), `Acknowledge: ${error.message}`, error.status);
    }
    made.acknowledge.disabled = false;
  });
  made.recording.addEventListener("click", () => recording(made.episode));
  const text = document.createElement("div");
  text.append(made.name, made.about, made.chain);
  const buttons = element("div", "", "buttons");
  buttons.append(made.acknowledge, made.recording);
  made.append(made.level, text, buttons);
  return made;
}

function button(text) {
  const made = element("button", text);
  made.type = "button";
  return made;
}

function fill(made, episode) {
  const changed = made.episode?.changed_at !== episode.changed_at;
  made.episode = episode;
  made.toggleAttribute("data-open", episode.open);
  made.level.textContent = episode.level;
  made.level.dataset.level = episode.level;
  made.name.textContent = words(episode.event) + (episode.test ? " (test)" : "");
  const sent = episode.delivered ? "sent" : "waiting to be sent";
  const state = episode.state === "raised" ? "open" : `${episode.state} ${clock(episode.changed_at)}`;
  const by = episode.by ? ` by ${episode.by}` : "";
  const when = `${day(episode.raised_at)}${clock(episode.raised_at)}`;
  const lines = [`${when} · ${state}${by} · ${sent}`, episode.detail, episode.open ? episode.helper : ""];
  made.about.replaceChildren(...lines.filter(Boolean).map((line) => element("div", line, "small")));
  made.acknowledge.hidden = !episode.open || episode.state === "acknowledged";
  made.recording.hidden = !episode.recording;
  const which = `${words(episode.event)} of ${when}`;
  made.acknowledge.setAttribute("aria-label", `Acknowledge ${which}`);
  made.recording.setAttribute("aria-label", `Recording of ${which}`);
  made.chain.firstChild.setAttribute("aria-label", `What happened: ${which}`);
  if (changed && made.chain.open) chain(made);
}

async function chain(made) { // every record of the episode, oldest first
  const list = made.chain.lastChild;
  try {
    const found = await ask(`/api/v1/alerts?limit=200&alert_id=${encodeURIComponent(made.episode.alert_id)}`);
    list.replaceChildren(...found.alerts.reverse().map((record) => {
      const by = record.by ? ` by ${record.by}` : "";
      const detail = record.detail ? `: ${record.detail}` : "";
      const line = element("li", `${clock(record.raised_at)} ${words(record.event)}, ${record.level}, ${record.state}${by}${detail}`);
      if (!record.clock_synchronised) line.append(element("em", " (the belt's clock was not set)"));
      return line;
    }));
  } catch (error) {
    list.replaceChildren(element("li", error.message));
  }
}

async function recording(episode) {
  const name = encodeURIComponent(episode.recording);
  at("recording-title").textContent = `${words(episode.event)}, ${day(episode.raised_at)}${clock(episode.raised_at)}`;
  at("recording-about").textContent = "Loading …";
  at("recording-charts").replaceChildren();
  at("recording-marks").replaceChildren();
  at("recording-download").href = `/api/v1/recordings/${name}/download`;
  at("recording").showModal();
  try {
    const found = await ask(`/api/v1/recordings/${name}`);
    at("recording-about").textContent =
      `${found.seconds} s, ${found.samples} samples. ${found.detail}`;
    for (const [key, curve] of Object.entries(found.curves)) {
      const chart = new Chart(at("recording-charts"), { ...CURVES[key], unit: curve.unit });
      chart.draw({ ...curve, from: 0, to: found.seconds, left: "0 s", right: `${found.seconds} s`, marks: found.marks });
    }
    at("recording-marks").replaceChildren(...found.marks.map((mark) =>
      element("li", `${mark.t.toFixed(2)} s: ${words(mark.event)}, ${mark.level}, ${mark.state}${mark.by ? ` by ${mark.by}` : ""}`)));
  } catch (error) {
    at("recording-about").textContent = error.message;
  }
}

at("recording-close").addEventListener("click", () => at("recording").close());
