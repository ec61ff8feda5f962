"""What a watcher sees of one execution, over as many connections as it takes."""

import grpc

from reflected import named


class Watcher:
    """Remembers every commit, and resumes by its cursor."""

    def __init__(self, gateway, execution):
        self.gateway = gateway
        self.execution = execution
        self.commits = []
        self.headers = []
        self.end = None
        self.call = None

    @property
    def revision(self):
        return self.commits[-1].revision if self.commits else 0

    @property
    def index(self):
        return self.changes[-1].index if self.commits else 0

    @property
    def changes(self):
        return [change for commit in self.commits for change in commit.changes]

    def connect(self):
        """Opens a stream from the cursor and takes its header."""
        request = {"execution": self.execution, "afterRevision": self.revision}
        self.call = self.gateway.stream("ExecutionService/Watch", request)
        first = next(self.call)
        assert first.WhichOneof("message") == "header", first
        self.headers.append((first.header.revision, first.header.change_index))
        return first.header

    def until(self, wanted):
        """Takes commits until one of their changes is wanted."""
        for message in self.call:
            if message.WhichOneof("message") != "commit":
                continue
            self.commits.append(message.commit)
            if any(wanted(change) for change in message.commit.changes):
                return
        raise AssertionError("the stream ended before that happened")

    def to_the_end(self):
        """Takes everything; the last message says why the stream ends."""
        for message in self.call:
            kind = message.WhichOneof("message")
            if kind == "commit":
                self.commits.append(message.commit)
            elif kind == "end":
                self.end = message.end
        assert self.end, "the stream ended without saying why"

    def disconnect(self):
        """Leaves in the middle of the stream."""
        self.call.cancel()
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.CANCELLED, error


def execution_moved(state):
    """Whether a change brings the execution to this state."""
    def wanted(change):
        return (
            change.WhichOneof("kind") == "execution"
            and named(change.execution, "state") == f"EXECUTION_STATE_{state}"
        )

    return wanted


def wave_moved(wave, state):
    """Whether a change brings this wave to this state."""
    def wanted(change):
        return (
            change.WhichOneof("kind") == "wave"
            and change.wave.wave == wave
            and named(change.wave, "state") == f"WAVE_STATE_{state}"
        )

    return wanted
