"""Where a kernel listens: its ports, its key, and the sockets to them."""

import zmq
from jupyter_client.connect import ConnectionFileMixin
from traitlets import Instance


class Connection(ConnectionFileMixin):
    """A kernel's ports and key, as a connection file has them, with an identity of its own.

    No `KernelClient`: that of jupyter_client 7 takes only a context that belongs to an event loop.
    """

    context = Instance(zmq.Context)
