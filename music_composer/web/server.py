"""The server of the page: routes behind the gate. It never computes music; every job is a command of its own."""

from __future__ import annotations

import json
import secrets
import socket
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from music_composer.cli.check import refusal_of
from music_composer.context import SILENT, Context
from music_composer.errors import BusyError, MusicComposerError, OptionError
from music_composer.web import jobs, views, workspace
from music_composer.web.forms import forms, words_of
from music_composer.web.gate import App, Gate

HOST = "127.0.0.1"  # this machine alone; there is no option for another
STATIC = Path(__file__).with_name("static")
MOST_BODY = 100_000  # bytes of a filled form
RESULT_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
Endpoint = Callable[[Request], Awaitable[Response]]


def serve(folder: Path, port: int = 0, browser: bool = True, context: Context = SILENT) -> None:
    """Serves the page of a folder until the process is stopped; jobs that run then go on.

    port: 0 takes any that is free. Raises MusicComposerError where the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(100)  # a browser that opens the address at once waits
    except OSError as error:
        raise MusicComposerError(f"--port {port} cannot be used: {error.strerror}: give another one") from error
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    address = f"http://{HOST}:{port}/?token={token}"
    context.say(f"open {address}\nCtrl-C ends the page; jobs that are running go on")
    if browser:
        webbrowser.open(address)
    config = uvicorn.Config(
        app_of(folder, port, token),
        log_level="critical",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=0,
    )
    server = uvicorn.Server(config)
    with listener:
        server.run([listener])
    for job in jobs.jobs(folder):
        if job.state == jobs.RUNNING:
            context.say(f"still running: {job.shown}")


def app_of(folder: Path, port: int, token: str) -> App:
    """Returns the application of a folder behind its gate."""
    app = Starlette(routes=ROUTES)
    app.state.folder = folder.resolve()
    return Gate(app, port, token)


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


async def _words(request: Request, folder: Path) -> list[str]:
    """The words of the command of a filled form: {"command": "midi train", "values": {...}}."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise OptionError("the form is too large")
    plain = json.loads(body)
    if not isinstance(plain, dict) or not isinstance(plain.get("values"), dict):
        raise OptionError("that is no form of this page")
    return words_of(str(plain.get("command", "")), plain["values"], folder)


def _shown(job: jobs.Job) -> dict[str, Any]:
    return {"id": job.id, "shown": job.shown, "state": job.state, "code": job.code, "began": job.began}


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


@_answers
async def _forms(request: Request) -> Any:
    return forms()


@_answers
async def _state(request: Request) -> Any:
    folder = request.app.state.folder
    return {
        "folder": str(folder),
        "recordings": await run_in_threadpool(workspace.recordings, folder),
        "results": await run_in_threadpool(workspace.results, folder),
        "jobs": [_shown(job) for job in await run_in_threadpool(jobs.jobs, folder)],
    }


@_answers
async def _check(request: Request) -> Any:
    folder = request.app.state.folder
    words = await _words(request, folder)
    return {"words": words, "shown": jobs.shown_of(words), "refusal": await run_in_threadpool(refusal_of, words)}


@_answers
async def _start(request: Request) -> Any:
    folder = request.app.state.folder
    words = await _words(request, folder)
    if refusal := await run_in_threadpool(refusal_of, words):
        raise OptionError(refusal)
    return _shown(await run_in_threadpool(jobs.begin, folder, words))


@_answers
async def _resume(request: Request) -> Any:
    folder = request.app.state.folder
    job = jobs.read(folder, request.path_params["id"])
    return _shown(await run_in_threadpool(jobs.begin, folder, job.words))


@_answers
async def _job(request: Request) -> Any:
    folder = request.app.state.folder
    name = request.path_params["id"]
    since = int(request.query_params.get("since", "0"))
    events, place = jobs.events_of(folder, name, since)
    return {**_shown(jobs.read(folder, name)), "events": events, "next": place, "log": jobs.log_of(folder, name)}


@_answers
async def _stop(request: Request) -> Any:
    folder = request.app.state.folder
    jobs.stop(folder, request.path_params["id"])
    return _shown(jobs.read(folder, request.path_params["id"]))


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
    Route("/api/jobs", _start, methods=["POST"]),
    Route("/api/jobs/{id}", _job),
    Route("/api/jobs/{id}/stop", _stop, methods=["POST"]),
    Route("/api/jobs/{id}/continue", _resume, methods=["POST"]),
    Route("/api/dataset/{name}", _upload, methods=["PUT"]),
    Route("/api/files/{path:path}", _remove, methods=["DELETE"]),
    Route("/api/waveform/{path:path}", _waveform),
    Route("/api/notes/{path:path}", _notes),
    Route("/files/{path:path}", _file),
    Mount("/static", StaticFiles(directory=STATIC)),
]
