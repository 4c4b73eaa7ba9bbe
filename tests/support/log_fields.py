"""The fields that a line of a log may have (security.md S22, S34)."""

from typing import Final

# What a field may be called, and what it holds: words of the program, counts, times, classes of errors, ids
# of rows of queues and of requests. Nothing here names a person, a record, an address or a text.
FIELDS: Final = {
    "alert": "whether somebody has to look now",
    "at": "names of functions and numbers of lines",
    "attempts": "a count",
    "bucket": "a number from 0 to 255 (kernel/ids.py)",
    "bytes": "a count",
    "cause": "the class of an error",
    "channels": "ways of messages",
    "count": "a count",
    "delivery_id": "a row of the queue of messages",
    "error": "the class of an error, or a code of a provider of ours",
    "event_id": "a row of the queue of events",
    "event_name": "an event of the program",
    "fault": "a word of the program",
    "faults": "words of the program",
    "kind": "a kind of timer, or of budget",
    "method": "of a request",
    "milliseconds": "a duration",
    "node": "a server of the database, by our name for it",
    "of": "a kind of budget",
    "platform": "ios, android or web",
    "port": "of this machine",
    "reason": "a word of the program",
    "request_id": "of a request",
    "root": "the number of a root",
    "route": "a template",
    "setting": "a variable of the environment",
    "source_id": "another core, by our name for it",
    "sqlstate": "a code of PostgreSQL",
    "status": "of an answer",
    "timers": "a count",
    "type": "a type of message",
    "what": "a step of a backup, or what a check of our own files says",
}
