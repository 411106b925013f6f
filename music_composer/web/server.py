"""The server of the page. It never computes music; every job is a command of its own."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from music_composer.context import SILENT, Context
from music_composer.errors import MusicComposerError
from music_composer.web import jobs, live, views
from music_composer.web.gate import App, Gate
from music_composer.web.routes import ROUTES

HOST = "127.0.0.1"  # this machine alone; there is no option for another


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
    live.stop_streams(folder)
    for job in jobs.jobs(folder):
        if job.state == jobs.RUNNING:
            context.say(f"still running: {job.shown}")


def app_of(folder: Path, port: int, token: str) -> App:
    """Returns the application of a folder behind its gate."""
    app = Starlette(routes=ROUTES)
    app.state.folder = folder.resolve()
    app.state.listeners = live.Listeners(app.state.folder)
    app.state.lengths = views.Lengths()
    return Gate(app, port, token)
