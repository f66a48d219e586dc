#!/usr/bin/env python3
"""An ACP agent of tests. What it does is the first word of the newest message; it leaves a line of each
prompt in the file that its first argument names."""
import json, os, re, subprocess, sys, threading, time

log = sys.argv[1]
loads = "noload" not in sys.argv
offers = "options" in sys.argv
model = ["small"]
cancelled = threading.Event()
servers = []
answers = {}
lock = threading.Lock()


def send(message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def update(session, **fields):
    send({"method": "session/update", "params": {"sessionId": session, "update": fields}})


def say(session, text):
    update(session, sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})


def ask(session, title, kind):
    number = f"q{time.time_ns()}"
    done = threading.Event()
    answers[number] = [done, None]
    send({"id": number, "method": "session/request_permission", "params": {
        "sessionId": session,
        "toolCall": {"toolCallId": number, "title": title, "kind": kind, "rawInput": {"command": title}},
        "options": [{"optionId": one, "name": one, "kind": one} for one in ("allow_once", "allow_always", "reject_once")],
    }})
    done.wait()
    outcome = (answers[number][1] or {}).get("outcome", {})
    return outcome.get("optionId", outcome.get("outcome"))


def outbox(session):
    """A plot, a file that is too large, a link that leads out, and one that is gone before it rests."""
    os.makedirs("outbox", exist_ok=True)
    with open("outbox/plot.svg", "w") as file:
        file.write("<svg/>")
    with open("outbox/huge.bin", "wb") as file:
        file.truncate(11 * 1024 * 1024)
    os.symlink("/etc/hostname", "outbox/leak.txt")
    with open("outbox/gone.txt", "w") as file:
        until = time.time() + 4.5
        while time.time() < until:
            file.write("x")
            file.flush()
            time.sleep(0.05)
    os.remove("outbox/gone.txt")
    time.sleep(2.5)
    say(session, "all is in the outbox")


def herd(*calls):
    """The answers of herd's own MCP server, as the agent was told to start it."""
    server = servers[0]
    env = {**os.environ, **{one["name"]: one["value"] for one in server["env"]}}
    child = subprocess.Popen([server["command"], *server["args"]], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def request(i, method, params):
        child.stdin.write(json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params}) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
        return json.loads(line).get("result") if line else None

    request(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "chatter", "version": "1"}})
    child.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    told = [request(i + 1, method, params) for i, (method, params) in enumerate(calls)]
    child.stdin.close()
    child.wait()
    return told


def use_tool(session, name, text):
    """Asks for it first, as such programs do."""
    answer = ask(session, f"mcp__herd__{name}", "other")
    if answer != "allow_once":
        return f"not allowed: {answer}"
    told = herd(("tools/call", {"name": name, "arguments": json.loads(text or "{}")}))[0]
    return "nobody answers" if told is None else told["content"][0]["text"]


def prompt(number, params):
    session = params["sessionId"]
    text = "\n".join(one.get("text", f"[{one['type']}]") for one in params["prompt"])
    bodies = re.findall(r"<herd-message [^>]*>\n(.*?)\n</herd-message", text, re.S)
    # Below the answer of another bot stands small print.
    words = "\n".join(line for line in (bodies[-1] if bodies else text).split("\n") if not line.startswith("-#"))
    with open(log, "a") as file:
        file.write(json.dumps({"at": time.time(), "pid": os.getpid(), "bodies": bodies, "text": text,
                               "images": [one["data"] for one in params["prompt"] if one["type"] == "image"]}) + "\n")
    cancelled.clear()
    reason = "end_turn"
    word = words.strip().split("\n")[-1].strip().split(" ")[0]
    if word == "slow":
        say(session, "I begin. ")
        until = time.time() + float(words.strip().split(" ")[1])
        while time.time() < until and not cancelled.is_set():
            time.sleep(0.02)
        say(session, "I end.")
        if cancelled.is_set():
            reason = "cancelled"
    elif word == "late":
        # Says all that it was asked, in two halves.
        said = " | ".join(bodies)
        update(session, sessionUpdate="tool_call", toolCallId=f"t{time.time_ns()}", title="look", kind="read", status="completed")
        say(session, f"You said {said[:4]}")
        cancelled.wait(float(words.strip().split("\n")[-1].split(" ")[1]))
        if cancelled.is_set():
            reason = "cancelled"
        else:
            say(session, said[4:])
    elif word == "wait":
        say(session, "Half")
        while not os.path.exists(os.path.join(os.path.dirname(log), "go")) and not cancelled.is_set():
            time.sleep(0.02)
        say(session, " and whole.")
        if cancelled.is_set():
            reason = "cancelled"
    elif word == "long":
        for i in range(600):
            say(session, f"line {i:04d} " + "x" * 40 + "\n")
    elif word == "report":
        # 30,000 characters and some.
        for i in range(120):
            say(session, f"## Part {i:03d}\n\n| run | loss |\n|---|---|\n| row {i:03d} | 0.{i:03d} |\n\n")
            say(session, f"```python\nprint({i:03d})\n" + f"# {'x' * 60}\n" * 3 + "```\n\n")
    elif word == "hush":
        while not os.path.exists(os.path.join(os.path.dirname(log), "go")) and not cancelled.is_set():
            time.sleep(0.02)
        if cancelled.is_set():
            reason = "cancelled"
        else:
            say(session, "It was hard.")
    elif word == "everyone":
        say(session, "hello @everyone and @here and <@&1> and <@999>")
    elif word == "tools":
        for i in range(3000):
            update(session, sessionUpdate="tool_call", toolCallId=f"t{i}", title=f"step {i}", kind="execute", status="completed")
        say(session, "tools are done")
    elif word == "die":
        say(session, "I am")
        sys.stderr.write("out of cheese\n")
        sys.stderr.flush()
        os._exit(7)
    elif word == "ask":
        say(session, f"answer: {ask(session, 'make clean', 'execute')}")
    elif word == "garbage":
        sys.stdout.write("this is no JSON\n" * 50)
        sys.stdout.flush()
        say(session, "garbage is out")
    elif word == "file":
        os.makedirs("outbox", exist_ok=True)
        with open("outbox/report.txt", "w") as file:
            file.write("the report")
        say(session, "see the file")
    elif word == "outbox":
        outbox(session)
    elif word == "env":
        say(session, "env: " + " ".join(sorted(os.environ)))
    elif word == "spend":
        update(session, sessionUpdate="usage_update", used=10, size=100, cost={"amount": 5, "currency": "USD"})
        say(session, "that was expensive")
    elif word == "relay":
        _, to, back = words.strip().split("\n")[-1].split(" ")
        say(session, f"<@{to}> we go on\nrelay {back} {to}")
    elif word == "handover":
        say(session, f"<@{words.strip().split(' ')[-1]}> take it over\n" + "".join(f"line {i:04d} {'x' * 40}\n" for i in range(60)))
    elif word == "tools?":
        names = [one["name"] for one in herd(("tools/list", {}))[0]["tools"]] if servers else []
        say(session, "tools: " + " ".join(sorted(names)))
    elif word == "tool":
        _, name, *rest = words.strip().split("\n")[-1].split(" ", 2)
        say(session, f"{name}: " + use_tool(session, name, "".join(rest)))
    elif word == "silent":
        pass
    else:
        say(session, "You said " + " | ".join(bodies) + (f" to {model[0]}" if offers else ""))
    send({"id": number, "result": {"stopReason": reason, "usage": {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120}}})


for line in sys.stdin:
    message = json.loads(line)
    method, number = message.get("method"), message.get("id")
    if method is None:
        if number in answers:
            answers[number][1] = message.get("result")
            answers[number][0].set()
    elif method == "initialize":
        send({"id": number, "result": {"protocolVersion": 1, "agentCapabilities": {"loadSession": loads, "promptCapabilities": {"image": True}}}})
    elif method == "session/new":
        servers[:] = message["params"]["mcpServers"]
        names = ["small", "large"] + [f"m{i}" for i in range(30)]
        models = {"currentModelId": model[0], "availableModels": [{"modelId": one, "name": one} for one in names]}
        send({"id": number, "result": {"sessionId": f"s{os.getpid()}", **({"models": models} if offers else {})}})
    elif method == "session/set_model":
        model[0] = message["params"]["modelId"]
        send({"id": number, "result": {}})
    elif method == "session/load":
        servers[:] = message["params"]["mcpServers"]
        send({"id": number, "result": {"_meta": {"loaded": True}}})
    elif method == "session/cancel":
        cancelled.set()
    elif method == "session/prompt":
        threading.Thread(target=prompt, args=(number, message["params"]), daemon=True).start()
    elif number is not None:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})
