"""The walks over HTTP: sessions, wearers, progress, the report."""

from __future__ import annotations

import base64
import hashlib
import math
from datetime import datetime
from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import FileResponse, HTMLResponse

from device import plan
from device.questions import PLACE, QUESTIONS
from service import schemas, walk_schemas
from service.command_api import carried_out
from service.course import Course, words
from service.desk import Desk
from service.dossier import Dossier, gather
from service.history import History, UnknownId
from service.moment import moment
from service.page_api import PAGE
from service.problems import Problem
from service.programme import PROGRAMMES
from service.progress import FIGURES, TEST, Figure
from service.report import STYLE, report
from service.trend import Trend
from service.walks import Walks

Name = Annotated[str, Path(max_length=40, examples=["anna"])]
SessionId = Annotated[str, Path(max_length=200)]
Instant = Annotated[str, Query(max_length=40, description="ISO 8601, UTC")]
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
REPORT_HEADERS = {  # its style stands in it, so that it can be saved and sent; it runs no script
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}


def install(
    app: FastAPI, walks: Walks, desk: Desk, history: History, belt: str, plans: Folder
) -> None:
    """Add what is read and said. `def` endpoints run beside the server's loop and hold up none."""

    def dossier(wearer: str) -> Dossier:
        if wearer not in walks.wearers():
            raise Problem(404, f"nothing is kept of a wearer {wearer!r}: see /api/v1/wearers")
        return gather(walks, wearer, datetime.now().astimezone())

    @app.get("/walks", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "walks.html")

    @app.get(
        "/api/v1/sessions", summary="Sessions, newest first", response_model=walk_schemas.Sessions
    )
    def sessions(
        wearer: Annotated[str, Query(max_length=40)] = "",
        since: Instant = "",
        before: Instant = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Give `next` as `before` to go on to older ones."""
        found = walks.sessions(wearer, since, before, limit + 1)
        further = found[limit - 1]["started_at"] if len(found) > limit else None
        return {"sessions": found[:limit], "next": further}

    @app.get("/api/v1/sessions/{session}", summary="One session", response_model=schemas.Session)
    def one(session: SessionId) -> dict[str, Any]:
        try:
            return walks.session(session)
        except UnknownId as error:
            raise Problem(404, f"there is no session {error}: see /api/v1/sessions") from error

    @app.get(
        "/api/v1/wearers",
        summary="Who has walked with this belt",
        response_model=walk_schemas.Wearers,
    )
    def wearers() -> dict[str, Any]:
        """`wearing`: whose the device's newest record is, with the newest `screening` of theirs."""
        wearing = walks.wearing()
        screenings = walks.results("screening", wearing)
        return {
            "wearers": walks.wearers(),
            "wearing": wearing or None,
            "screening": screenings[-1] if screenings else None,
            "time": moment().written(),
        }

    @app.get(
        "/api/v1/wearers/{name}/progress",
        summary="Weeks at a glance, and what has changed",
        response_model=walk_schemas.Progress,
    )
    def progress(name: Name) -> dict[str, Any]:
        """`clear` 1 or -1: it rises or falls for sure (95 %); 0: no clear change; null: unknown."""
        found = dossier(name)
        return {
            "wearer": name,
            "weeks": [
                {
                    "start": week.start.isoformat(),
                    "sessions": week.sessions,
                    "total_min": round(week.total_min, 2),
                    **{key: _number(value) for key, value in week.figures.items()},
                }
                for week in found.weeks
            ],
            "trends": {key: _trend(trend) for key, trend in found.trends.items()},
            "figures": {**{figure.name: _figure(figure) for figure in FIGURES}, TEST: _TEST},
            "course": _course(found.course),
        }

    @app.get(
        "/api/v1/wearers/{name}/report",
        summary="The report, to read, save or print",
        response_class=HTMLResponse,
    )
    def made(name: Name) -> HTMLResponse:
        return HTMLResponse(report(dossier(name), belt), headers=REPORT_HEADERS)

    @app.post(
        "/api/v1/sessions/{session}/effort",
        summary="How hard a session was",
        response_model=schemas.Answer,
    )
    async def effort(
        request: Request, session: SessionId, said: walk_schemas.Effort
    ) -> dict[str, Any]:
        """`borg_cr10`: 0 (nothing at all) to 10 (extremely hard), on Borg's CR10 scale."""
        arguments = {**_said(said), "session": session}
        return await carried_out(desk, history, request, "rate", arguments)

    @app.post(
        "/api/v1/wearers/{name}/programme",
        summary="Begin a programme today, or end it",
        response_model=schemas.Answer,
    )
    async def programme(
        request: Request, name: Name, said: walk_schemas.Programme
    ) -> dict[str, Any]:
        """`name`: a key of /api/v1/programmes, or `none`. The goal follows by itself."""
        arguments = {**_said(said), "wearer": name}
        return await carried_out(desk, history, request, "programme", arguments)

    @app.get(
        "/api/v1/screening",
        summary="The screening's questions, and the place's checklist",
        response_model=walk_schemas.Screening,
    )
    def screening() -> dict[str, Any]:
        """Answer them with `POST /api/v1/commands/screening`: true for yes."""
        return {"questions": QUESTIONS, "place": PLACE}

    @app.get(
        "/api/v1/plans",
        summary="What a session may be made of: the plans that can be begun with",
        response_model=dict[str, walk_schemas.SessionPlan],
    )
    def session_plans() -> dict[str, Any]:
        """Those that come with the belt, and the wearer's own. A faulty one the doctor names."""
        return {
            name: {"title": one.title, "goal_min": one.goal_s / 60.0}
            for name, one in plan.known(plans)[0].items()
        }

    @app.get(
        "/api/v1/programmes",
        summary="Programmes of several weeks, and where they come from",
        response_model=dict[str, walk_schemas.Plan],
    )
    def programmes() -> dict[str, Any]:
        return {
            name: {
                "title": plan.title,
                "minutes": plan.minutes,
                "sessions_a_week": plan.sessions_a_week,
                "source": plan.source,
                "found": plan.found,
            }
            for name, plan in PROGRAMMES.items()
        }


def _said(body: schemas.Command) -> dict[str, Any]:
    said: dict[str, Any] = body.model_dump(exclude_defaults=True)
    return said


_TEST = {"title": "3-metre backward walk", "unit": "s", "better": -1}


def _figure(figure: Figure) -> dict[str, Any]:
    return {"title": figure.title, "unit": figure.unit, "better": figure.better}


def _trend(trend: Trend) -> dict[str, Any]:
    bounds = {"low": trend.low, "high": trend.high, "a_week": trend.slope}
    return {
        "points": trend.points,
        "clear": trend.clear if trend.known else None,
        **{name: _number(value) for name, value in bounds.items()},
    }


def _course(course: Course | None) -> dict[str, Any] | None:
    if course is None:
        return None
    return {
        "programme": course.name,
        "began": course.began.isoformat(),
        "week": len(course.weeks) + 1,
        "goal_min": _number(course.goal.minutes),
        "sessions": course.goal.sessions,
        "done": course.this_week,
        "goal": words(course.goal),
    }


def _number(value: float) -> float | None:
    """JSON has no word for NaN or infinity: null."""
    return round(value, 4) if math.isfinite(value) else None
