"""The black box over HTTP: listed, drawn, taken away. What reads files runs beside the loop."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Query
from starlette.responses import Response

from service import schemas
from service.history import History
from service.problems import Problem
from service.recordings import Recordings, UnknownRecordingError, name_of

Name = Annotated[str, Path(max_length=120)]
_LIST = "GET /api/v1/recordings lists those there are"


def install(app: FastAPI, recordings: Recordings, history: History) -> None:
    @app.get(
        "/api/v1/recordings",
        summary="Recordings of the black box, newest first",
        response_model=schemas.Recordings,
    )
    def all_of_them(
        before: Annotated[str, Query(max_length=120, description="Older than this name.")] = "",
        limit: Annotated[int, Query(ge=1, le=50)] = 20,
    ) -> dict[str, Any]:
        """One for each episode of danger or fault, the newest fifty. `next` as `before` goes on."""
        names = recordings.names()
        if before and before not in names:
            raise Problem(404, f"there is no recording {before!r}", "leave out before")
        rest = names[names.index(before) + 1 :] if before else names
        found = [about for name in rest[:limit] if (about := _about(recordings, name))]
        return {"recordings": found, "next": rest[limit - 1] if len(rest) > limit else None}

    @app.get(
        "/api/v1/recordings/{name}",
        summary="One recording, drawn: signals and decisions",
        response_model=schemas.Drawing,
    )
    def drawn(name: Name) -> dict[str, Any]:
        try:
            about, signals = recordings.about(name), recordings.signals(name)
        except UnknownRecordingError as error:
            raise Problem(404, str(error), _LIST) from error
        alert_id = next((a for a in history.episode_ids() if name_of(a) == name), None)
        marks = history.decided(alert_id, signals.begin, signals.end) if alert_id else []
        return {
            **about,
            "alert_id": alert_id,
            "curves": signals.curves,
            "marks": [
                {
                    "t": round(record["t"] - signals.begin, 3),
                    **{key: record[key] for key in ("event", "level", "state", "by")},
                }
                for record in marks
            ],
        }

    @app.get(
        "/api/v1/recordings/{name}/download",
        summary="One recording to take away: a recording set for `rearguard replay`",
        response_class=Response,
        responses=schemas.ZIP,
    )
    def download(name: Name) -> Response:
        try:
            archive = recordings.zipped(name)
        except UnknownRecordingError as error:
            raise Problem(404, str(error), _LIST) from error
        return Response(
            archive,
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
        )


def _about(recordings: Recordings, name: str) -> dict[str, Any] | None:
    """None for one that has gone since it was listed, or cannot be read."""
    try:
        return recordings.about(name)
    except UnknownRecordingError:
        return None
