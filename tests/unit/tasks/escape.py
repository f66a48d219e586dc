"""Tries to get out of a sandbox; prints the name of each attempt that succeeded."""
import ctypes, json, os, resource, socket, sys

facts = json.loads(sys.argv[1])
out = facts["outside"]
libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, act):
    try:
        if act() is not False:
            print(name, flush=True)
    except OSError:
        pass


def read(path):
    with open(path) as file:
        file.read()


def write(path, mode="w"):
    with open(path, mode) as file:
        file.write("x")


def linked():
    os.symlink(out + "/secret", "link")
    read("link")


def same(path):
    with open(path) as file:
        value = file.read()
    with open(path, "w") as file:
        file.write(value)


def seize():
    if libc.ptrace(0x4206, facts["pid"], 0, 0) != 0:
        raise OSError()


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(3)
        one.connect(address)


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(3)
        one.sendto(b"ping", ("127.0.0.1", facts["udp"]))
        one.recv(10)


def stat_of_other():
    os.setpriority(os.PRIO_PROCESS, facts["pid"], os.getpriority(os.PRIO_PROCESS, facts["pid"]))


attempt("write inside", lambda: write("made"))
attempt("read inside", lambda: read("given.txt"))
attempt("result", lambda: write("RESULT.txt"))
attempt("write outside", lambda: write(out + "/new"))
attempt("append outside", lambda: write(out + "/append", "a"))
attempt("truncate outside", lambda: os.truncate(out + "/truncate", 0))
attempt("remove outside", lambda: os.unlink(out + "/remove"))
attempt("read outside", lambda: read(out + "/secret"))
attempt("read by a link", linked)
attempt("hard link", lambda: os.link(out + "/secret", "hard"))
attempt("list outside", lambda: os.listdir(out))
attempt("move out", lambda: os.rename("given.txt", out + "/moved"))
attempt("environment of another", lambda: read("/proc/%d/environ" % facts["pid"]))
attempt("root of another", lambda: os.listdir("/proc/%d/root/" % facts["pid"]))
attempt("folder of another", lambda: read("/proc/%d/cwd/secret" % facts["pid"]))
attempt("own root", lambda: read("/proc/self/root" + out + "/secret"))
attempt("signal", lambda: os.kill(facts["pid"], 0))
attempt("signal to all", lambda: os.kill(facts["pid"], 28))
attempt("trace", seize)
attempt("limits", lambda: resource.prlimit(facts["pid"], resource.RLIMIT_NOFILE, (99, 99)))
attempt("tcp", lambda: connect(socket.AF_INET, ("127.0.0.1", facts["tcp"])))
attempt("udp", datagram)
attempt("unix socket", lambda: connect(socket.AF_UNIX, facts["unix"]))
attempt("abstract socket", lambda: connect(socket.AF_UNIX, "\0" + facts["abstract"]))
attempt("socket of munge", lambda: os.stat("/run/munge/munge.socket.2") if facts["bwrap"] else False)
attempt("shared memory", lambda: os.stat("/dev/shm/" + facts["shm"]) if facts["bwrap"] else False)
attempt("setting of the kernel", lambda: same("/proc/sys/vm/swappiness"))
attempt("shadow", lambda: read("/etc/shadow"))
# Reported as done in some sandboxes: the test looks at what came of it.
for change in [
    lambda: os.chmod(out + "/mode", 0o777),
    lambda: os.utime(out + "/time", (1, 1)),
    lambda: os.setxattr(out + "/mode", "user.x", b"y"),
]:
    attempt("", change)
