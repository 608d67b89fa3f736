// Words and small helpers that every part of the page uses.
"use strict";

export const at = (id) => document.getElementById(id);
export const words = (text) => text.replaceAll("_", " ");

export function set(id, text) { // only when it changes, so that screen readers are not kept talking
  if (at(id).textContent !== text) at(id).textContent = text;
}

export function number(value, digits, unit) {
  return value === null || value === undefined ? "–" : `${value.toFixed(digits)} ${unit}`;
}

// How far it was: "about" where no wall had measured this wearer's steps
export function walked(totals) {
  const far = number(totals.distance_m, 0, "m");
  const about = totals.distance_m > 0 && (totals.measured_m ?? 0) < 0.9 * totals.distance_m;
  return about ? `about ${far}` : far;
}

export function element(tag, text, name = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

export function clock(written) {
  return written ? new Date(written).toLocaleTimeString() : "?";
}

export function day(written) { // empty for today
  const when = new Date(written);
  return when.toDateString() === new Date().toDateString() ? "" : `${when.toLocaleDateString()} `;
}

// JSON from the belt; raises an Error whose message is for people
export async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    throw new Error(`the service does not answer (${error.message})`);
  }
  const body = await answer.json();
  if (answer.ok) return body;
  const problem = new Error(body.remedy && !body.detail.includes(body.remedy) ? `${body.detail}; ${body.remedy}` : body.detail);
  problem.status = answer.status;
  throw problem;
}

// A command to the belt: the record it led to, or null when none came in time; raises as `ask` does
export async function command(name, values) {
  const answer = await ask(`/api/v1/commands/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Rearguard": "page" },
    body: JSON.stringify(values),
  });
  return answer.result;
}

// What became of a command, or why nothing did, shown in `place`
export function tell(place, text, status) {
  place.textContent = text;
  if (status !== 401) return;
  const link = element("a", "Log in");
  link.href = "/login";
  place.append(" ", link);
}
