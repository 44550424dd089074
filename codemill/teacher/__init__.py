"""Teachers: conversations with models as steps of recipes, one client, and the store of paid calls.

conversation    what a method yields and is sent: the one file to read before writing one
ask             @cm.ask: a method as a step
teachers        who is asked: an endpoint, a local model, a script, a recording
talk hub        carries conversations; what they share
forecast        what a step will ask, reckoned before it asks
client          the OpenAI wire format: rates, retries, deadlines
calls           the store of paid calls
reading         answers as text, data, code
running         what runs programs
"""

from codemill.teacher.conversation import (
    Conversation,
    Drop,
    Execute,
    Malformed,
    Refused,
    Reply,
    Request,
    TooLong,
    Truncated,
    Unanswered,
    Unusable,
)
from codemill.teacher.reading import code, sections
from codemill.teacher.teachers import Endpoint, Local, Price, Replay, Scripted, Teacher, named

__all__ = [
    "Conversation",
    "Drop",
    "Endpoint",
    "Execute",
    "Local",
    "Malformed",
    "Price",
    "Refused",
    "Replay",
    "Reply",
    "Request",
    "Scripted",
    "Teacher",
    "TooLong",
    "Truncated",
    "Unanswered",
    "Unusable",
    "code",
    "named",
    "sections",
]
