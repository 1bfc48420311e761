"""Kernels that are forks of one process which has imported what many pages need.

To NBClient such a kernel is like any other. Only its start and the question whether it still runs
go through the process that it is a fork of (`coursebuild.forkserver`), for this is its parent.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterable

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

FORKABLE = [sys.executable, "-m", "ipykernel_launcher"]  # how a command begins that a fork can run
POLL = 0.1  # seconds between two looks at a kernel that is about to end


class ForkServer:
    """The process that kernels are forks of, while the context lasts.

    Parameters
    ----------
    modules : iterable of str
        What it imports before it forks.
    """

    def __init__(self, modules: Iterable[str]):
        self._modules = modules
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> "ForkServer":
        command = [sys.executable, "-m", "coursebuild.forkserver", *self._modules]
        options = {"stdin": PIPE, "stdout": PIPE, "start_new_session": True}  # Ctrl-C is not for it
        self._process = await asyncio.create_subprocess_exec(*command, **options)
        return self

    async def __aexit__(self, *_) -> None:
        self._process.stdin.close()  # then it ends
        await self._process.wait()

    async def ask(self, **request) -> dict:
        """Send a request; return the answer.

        Raises
        ------
        RuntimeError
            If the process says that it cannot, or has ended.
        """
        # A caller who does not wait any longer leaves no answer behind for the next one.
        answer = await asyncio.shield(self._exchange(json.dumps(request).encode() + b"\n"))
        if "error" in answer:
            raise RuntimeError(f"the process that kernels are forks of: {answer['error']}")
        return answer

    async def _exchange(self, line: bytes) -> dict:
        async with self._turn:
            self._process.stdin.write(line)
            answer = await self._process.stdout.readline()
        return json.loads(answer or b'{"error": "it has ended"}')


class ForkedKernel(LocalProvisioner):
    """What a kernel manager does to a kernel that is a fork.

    Parameters
    ----------
    server : ForkServer
    manager : KernelManager
    """

    def __init__(self, server: ForkServer, manager: KernelManager):
        names = {"kernel_id": manager.kernel_id, "kernel_spec": manager.kernel_spec}
        super().__init__(parent=manager, **names)
        self._server = server

    @property
    def has_process(self) -> bool:
        return self.pid is not None

    async def launch_kernel(self, cmd: list[str], **options) -> KernelConnectionInfo:
        """Start the kernel in a fork, with what its command says after the module's name."""
        answer = await self._server.ask(
            do="start",
            arguments=cmd[len(FORKABLE) :],
            folder=str(options["cwd"]),
            variables=options["env"],
        )
        self.pid = self.pgid = answer["pid"]
        self.cwd = options["cwd"]
        return self.connection_info

    async def poll(self) -> int | None:
        """Return the code with which the kernel ended, None while it runs."""
        if self.pid is None:
            return 0
        code = (await self._server.ask(do="poll", pid=self.pid))["code"]
        if code is not None:
            self.pid = None
        return code

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while (code := await self.poll()) is None:
            await asyncio.sleep(POLL)
        return code

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and to all that it started."""
        if self.pid is not None:
            try:
                os.killpg(self.pgid, signum)
            except ProcessLookupError:  # the fork is so young that it leads no group yet
                os.kill(self.pid, signum)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel."""
        await self.send_signal(signal.SIGKILL)


def can_be_forked(manager: KernelManager) -> bool:
    """Tell whether a kernel's command is one that a fork can run."""
    return manager.kernel_spec.argv[: len(FORKABLE)] == FORKABLE
