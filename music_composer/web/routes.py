"""The routes of the page, behind the gate: its forms, jobs, music and results. Errors are the lines of the commands."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from music_composer.cli.check import refusal_of
from music_composer.errors import BusyError, MusicComposerError, OptionError
from music_composer.web import jobs, live, resuming, views, workspace
from music_composer.web.forms import blamed, forms, rooms, values_of, words_of

STATIC = Path(__file__).with_name("static")
MOST_BODY = 100_000  # bytes of a filled form
RESULT_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"
)
Endpoint = Callable[[Request], Awaitable[Response]]


def _answers(endpoint: Callable[[Request], Awaitable[Any]]) -> Endpoint:
    """The result as JSON, and an error as the one line that the command would say."""

    async def answered(request: Request) -> Response:
        try:
            return JSONResponse(await endpoint(request))
        except MusicComposerError as error:
            status = 404 if isinstance(error, workspace.Missing) else 409 if isinstance(error, BusyError) else 400
            return JSONResponse({"error": str(error)}, status)
        except ValueError:
            return JSONResponse({"error": "that is no request of this page"}, 400)

    return answered


async def _plain(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises OptionError where it is too large, or none."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise OptionError("the form is too large")
    plain = json.loads(body)
    if not isinstance(plain, dict):
        raise OptionError("that is no request of this page")
    return plain


async def _form(request: Request) -> tuple[str, dict[str, Any]]:
    """The command and the values of a filled form: {"command": "midi train", "values": {...}}."""
    plain = await _plain(request)
    if not isinstance(plain.get("values"), dict):
        raise OptionError("that is no form of this page")
    return str(plain.get("command", "")), plain["values"]


def _shown(job: jobs.Job) -> dict[str, Any]:
    return {"id": job.id, "shown": job.shown, "state": job.state, "code": job.code, "began": job.began}


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


@_answers
async def _forms(request: Request) -> Any:
    return {"commands": forms(), "rooms": rooms()}


@_answers
async def _state(request: Request) -> Any:
    folder = request.app.state.folder
    found = await run_in_threadpool(jobs.jobs, folder)
    for job in found:
        request.app.state.listeners.watch(job)
    return {
        "folder": str(folder),
        "music": await run_in_threadpool(workspace.music, folder, request.app.state.lengths),
        "results": await run_in_threadpool(workspace.results, folder),
        "jobs": [_shown(job) for job in found],
    }


@_answers
async def _check(request: Request) -> Any:
    command, values = await _form(request)
    words = words_of(command, values, request.app.state.folder)
    refusal = await run_in_threadpool(refusal_of, words)
    return {"shown": jobs.shown_of(words), "refusal": refusal, "option": blamed(command, values, refusal)}


@_answers
async def _blame(request: Request) -> Any:
    """The option that the error of a job is about, for the form that started it."""
    plain = await _plain(request)
    values = plain.get("values")
    return {
        "option": blamed(str(plain.get("command")), values if isinstance(values, dict) else {}, str(plain.get("line")))
    }


@_answers
async def _start(request: Request) -> Any:
    folder = request.app.state.folder
    words = words_of(*await _form(request), folder)
    if refusal := await run_in_threadpool(refusal_of, words):
        raise OptionError(refusal)
    job = await run_in_threadpool(jobs.begin, folder, words)
    request.app.state.listeners.watch(job)
    return _shown(job)


@_answers
async def _resume(request: Request) -> Any:
    folder = request.app.state.folder
    job = jobs.read(folder, request.path_params["id"])
    words = resuming.resumed(job.words, jobs.all_events(folder, job.id), folder)
    return _shown(await run_in_threadpool(jobs.begin, folder, words))


@_answers
async def _job(request: Request) -> Any:
    folder = request.app.state.folder
    name = request.path_params["id"]
    since = int(request.query_params.get("since", "0"))
    events, place = jobs.events_of(folder, name, since)
    job = jobs.read(folder, name)
    command, values = values_of(job.words)
    told = {"command": command, "values": values, "stream": live.is_stream(job.words)}
    return {**_shown(job), **told, "events": events, "next": place, "log": jobs.log_of(folder, name)}


async def _sound(request: Request) -> Response:
    folder = request.app.state.folder
    try:
        job = jobs.read(folder, request.path_params["id"])
    except MusicComposerError:
        return Response(status_code=404)
    if not live.is_stream(job.words):
        return Response(status_code=404)
    return StreamingResponse(request.app.state.listeners.sound_of(job), media_type="audio/wav")


@_answers
async def _stop(request: Request) -> Any:
    folder = request.app.state.folder
    jobs.stop(folder, request.path_params["id"])
    return _shown(jobs.read(folder, request.path_params["id"]))


@_answers
async def _require_room(request: Request) -> Any:
    """Whether a file may be uploaded, before it is sent: a browser that is still sending may miss the answer."""
    plain = await _plain(request)
    size, replace = plain.get("bytes"), plain.get("replace") is True
    workspace.require_room(
        request.app.state.folder, str(plain.get("name")), size if type(size) is int else None, replace
    )
    return {}


@_answers
async def _upload(request: Request) -> Any:
    folder = request.app.state.folder
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() else None
    replace = request.query_params.get("replace") == "yes"
    path = await workspace.receive(folder, request.path_params["name"], size, replace, request.stream())
    return {"path": path.relative_to(folder).as_posix()}


@_answers
async def _remove(request: Request) -> Any:
    folder = request.app.state.folder
    await run_in_threadpool(workspace.remove, folder, request.path_params["path"])
    return {}


@_answers
async def _waveform(request: Request) -> Any:
    folder = request.app.state.folder
    return await run_in_threadpool(views.waveform, workspace.shown(folder, request.path_params["path"]))


async def _spectrogram(request: Request) -> Response:
    """The bands as bytes, with their shape in two headers."""
    try:
        path = workspace.shown(request.app.state.folder, request.path_params["path"])
        columns, bands, pixels = await run_in_threadpool(views.spectrogram, path)
    except MusicComposerError:
        return Response(status_code=404)
    headers = {"x-columns": str(columns), "x-bands": str(bands)}
    return Response(pixels, media_type="application/octet-stream", headers=headers)


@_answers
async def _notes(request: Request) -> Any:
    folder = request.app.state.folder
    return await run_in_threadpool(views.notes, workspace.shown(folder, request.path_params["path"]))


async def _file(request: Request) -> Response:
    folder = request.app.state.folder
    try:
        path = workspace.shown(folder, request.path_params["path"])
    except workspace.Missing:
        return Response(status_code=404)
    # A page among the results is shown without scripts, and may load nothing from elsewhere.
    return FileResponse(path, headers={"content-security-policy": RESULT_POLICY} if path.suffix == ".html" else {})


ROUTES = [
    Route("/", _page),
    Route("/api/forms", _forms),
    Route("/api/state", _state),
    Route("/api/check", _check, methods=["POST"]),
    Route("/api/blame", _blame, methods=["POST"]),
    Route("/api/room", _require_room, methods=["POST"]),
    Route("/api/jobs", _start, methods=["POST"]),
    Route("/api/jobs/{id}", _job),
    Route("/api/jobs/{id}/sound", _sound),
    Route("/api/jobs/{id}/stop", _stop, methods=["POST"]),
    Route("/api/jobs/{id}/continue", _resume, methods=["POST"]),
    Route("/api/dataset/{name}", _upload, methods=["PUT"]),
    Route("/api/files/{path:path}", _remove, methods=["DELETE"]),
    Route("/api/waveform/{path:path}", _waveform),
    Route("/api/spectrogram/{path:path}", _spectrogram),
    Route("/api/notes/{path:path}", _notes),
    Route("/files/{path:path}", _file),
    Mount("/static", StaticFiles(directory=STATIC)),
]
