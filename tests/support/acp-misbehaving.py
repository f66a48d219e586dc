#!/usr/bin/env python3
"""An ACP agent that misbehaves. How is the first word of the newest message; a file `start` in its first
argument's folder says how the next one that starts does. Whoever says anything else is answered as is proper."""
import json, os, re, signal, subprocess, sys, threading, time

home = sys.argv[1]
lock = threading.Lock()
cancelled = threading.Event()
answers = []
pending = {}


def raw(data):
    with lock:
        while data:
            data = data[os.write(1, data):]


def line(message):
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def send(message):
    raw(line(message))


def update(session, **fields):
    return line({"method": "session/update", "params": {"sessionId": session, "update": fields}})


def chunk(session, text):
    return update(session, sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})


def say(session, text):
    raw(chunk(session, text))


def ask(session, number, title="make clean", kinds=("allow_once", "allow_always", "reject_once"), kind="execute"):
    done = threading.Event()
    pending.setdefault(number, []).append(done)
    send({"id": number, "method": "session/request_permission", "params": {
        "sessionId": session,
        "toolCall": {"toolCallId": f"t{number}", "title": title, "kind": kind, "rawInput": {"command": title}},
        "options": [{"optionId": one, "name": one, "kind": one} for one in kinds],
    }})
    return done


def tally():
    kinds = [one.get("optionId", one.get("outcome")) for one in answers]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))


def complain(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def wait_all(all):
    for one in all:
        one.wait()


def silence(session, rest):
    time.sleep(3600)


def flood(session, rest):
    count = int(rest[0]) if rest else 100_000
    for i in range(0, count, 100):
        raw(b"".join(chunk(session, f"{n:06d} ") for n in range(i, i + 100)))


def endless(session, rest):
    piece = b"".join(chunk(session, "again and again ") for _ in range(200))
    while True:
        raw(piece)


def garbage(session, rest):
    raw(b"this is no JSON\n" * 50 + b"\xff\xfe\x80 {\n" + b"{}\n[]\nnull\n" + b'{"jsonrpc":"2.0"}\n')
    half = chunk(session, "Half of it")
    for part in (half[:20], half[20:40], half[40:]):
        raw(part)
        time.sleep(0.05)
    raw(chunk(session, " and \xe4 rest").replace(b"\\u00e4", b"\xff"))


def rubbish(session, rest):
    raw(b"this is no JSON\n" * 5_000)
    time.sleep(3600)


def huge(session, rest):
    for _ in range(50):
        raw(b"x" * (1 << 20))
    time.sleep(3600)


def crash(session, rest):
    say(session, "I am about to")
    complain("out of cheese")
    os._exit(7)


def long(session, rest):
    say(session, "".join(f"line {i:04d} of a very long answer\n" for i in range(900)))


def tools(session, rest):
    for i in range(5_000):
        raw(update(session, sessionUpdate="tool_call", toolCallId=f"t{i}", title=f"step {i}", kind="execute")
            + update(session, sessionUpdate="tool_call_update", toolCallId=f"t{i}", status="completed"))
    say(session, "All steps are done")


def storm(session, rest):
    wait_all([ask(session, f"s{i}") for i in range(200)])
    say(session, f"Answers: {tally()}")


def many(session, rest):
    wait_all([ask(session, f"m{i}", f"step {i}") for i in range(200)])
    say(session, f"Answers: {tally()}")


def policy(session, rest):
    wait_all([ask(session, kind, f"{kind} it", kind=kind) for kind in ("read", "delete", "execute")])
    say(session, f"Answers: {tally()}")


def hasty(session, rest):
    ask(session, "hasty", "rm -rf hasty")
    say(session, "I wait for nobody")
    threading.Timer(0.5, ask, (session, "late", "rm -rf late")).start()


def twins(session, rest):
    wait_all([ask(session, "twin"), ask(session, "twin")])
    say(session, f"Answers: {tally()}")


def strange(session, rest):
    wait_all([ask(session, "strange", kinds=("allow_the_world", "perhaps"))])
    say(session, f"Answers: {tally()}")


def wrong(session, rest):
    for number in (9_999, "9", None, {"a": 1}):
        send({"id": number, "result": {"stopReason": "refusal"}})
    say(session, "To you at last")


def slow(session, rest):
    say(session, "I begin")
    cancelled.wait(60)
    time.sleep(2)
    say(session, ", and this is late")


def deaf(session, rest):
    while True:
        say(session, "la ")
        time.sleep(0.05)


def other(session, rest):
    say("another-session", "the words of another")
    say(session, "mine")


def orphan(session, rest):
    subprocess.Popen(["sleep", "3600"], start_new_session=True)
    complain("I leave a child behind")
    os._exit(3)


def noise(session, rest):
    until = time.time() + 3
    while time.time() < until:
        os.write(2, b"noise " * 2_000 + b"\n")
    say(session, "It was loud")


MODES = {one.__name__: one for one in (
    silence, flood, endless, garbage, rubbish, huge, crash, long, tools, storm, hasty, twins, strange, wrong,
    many, policy, slow, deaf, other, orphan, noise,
)}


def prompt(number, params):
    session = params["sessionId"]
    text = "\n".join(one.get("text", "") for one in params["prompt"])
    bodies = re.findall(r"<herd-message [^>]*>\n(.*?)\n</herd-message", text, re.S)
    words = (bodies[-1] if bodies else text).strip().split()
    cancelled.clear()
    answers.clear()
    mode = MODES.get(words[0])
    if mode:
        mode(session, words[1:])
    else:
        say(session, "You said " + " ".join(words))
    send({"id": number, "result": {"stopReason": "cancelled" if cancelled.is_set() else "end_turn"}})


def starting():
    path = os.path.join(home, "start")
    try:
        with open(path) as file:
            word = file.read().strip()
        os.remove(path)
        return word
    except FileNotFoundError:
        return ""


# Nothing ends it that can be ignored.
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
start = starting()
if start == "crash":
    complain("no cheese to start with")
    os._exit(4)

for text in sys.stdin:
    message = json.loads(text)
    method, number = message.get("method"), message.get("id")
    if method is None:
        answers.append((message.get("result") or {}).get("outcome") or {"outcome": "error"})
        for one in pending.get(number, [])[:1]:
            pending[number].remove(one)
            one.set()
    elif method == "initialize":
        send({"id": number, "result": {"protocolVersion": 1, "agentCapabilities": {"loadSession": True}}})
    elif method == "session/new":
        send({"id": number, "result": {"sessionId": f"s{os.getpid()}"}})
    elif method == "session/load":
        if start == "null":
            say("another-session", "what was said to somebody else")
            send({"id": number, "result": None})
        else:
            say(message["params"]["sessionId"], "what was said")
            send({"id": number, "result": {}})
    elif method == "session/cancel":
        cancelled.set()
    elif method == "session/prompt":
        threading.Thread(target=prompt, args=(number, message["params"]), daemon=True).start()
    elif number is not None:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})

# Its input is closed: it stays all the same.
while True:
    time.sleep(3600)
