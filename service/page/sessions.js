// Sessions, newest first, and each wearer's report.
"use strict";

import { ask, at, clock, day, element, number, walked, words } from "/words.js";

const AGAIN = 30000; // ms

async function sessions() {
  try {
    const [{ sessions: found }, { wearers }] =
      await Promise.all([ask("/api/v1/sessions?limit=10"), ask("/api/v1/wearers")]);
    at("no-sessions").hidden = found.length > 0;
    at("session-table").hidden = !found.length;
    at("session-list").replaceChildren(...found.map(row));
    at("reports").replaceChildren(...wearers.flatMap((wearer) => {
      const link = element("a", `Report on ${wearer}`);
      link.href = `/api/v1/wearers/${encodeURIComponent(wearer)}/report`;
      return [link, " "];
    }));
  } catch (error) {
    at("no-sessions").hidden = false;
    at("no-sessions").textContent = `Sessions: ${error.message}`;
  }
  setTimeout(sessions, AGAIN);
}

function row(session) {
  const made = document.createElement("tr");
  const totals = session.measurements ?? {};
  const minutes = totals.dose_s === undefined ? null : totals.dose_s / 60;
  const head = element("th", `${day(session.started_at)}${clock(session.started_at)}`);
  head.scope = "row";
  made.append(head, ...[
    session.wearer,
    number(minutes, 1, "min"),
    totals.steps === undefined ? "–" : `${totals.steps}`,
    walked(totals),
    words(session.detail || session.state),
  ].map((text) => element("td", text)));
  return made;
}

sessions();
