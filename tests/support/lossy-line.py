"""lossy-line.py DELAY_MS LOSS SEED: two network namespaces with a bad line between them.

What a packet suffers is done here and not by tc, as few kernels have netem. Prints the ids of a
process in each namespace as JSON; ends with its input.
"""
import ctypes, fcntl, heapq, json, os, random, select, struct, subprocess, sys, time

delay, loss = float(sys.argv[1]) / 1000, float(sys.argv[2])
rng = random.Random(int(sys.argv[3]))
CLONE_NEWNET, TUNSETIFF, TUN_WITHOUT_HEADER = 0x40000000, 0x400454CA, 0x1001
libc = ctypes.CDLL(None, use_errno=True)


def end_of_line(address):
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"line", TUN_WITHOUT_HEADER))
    for words in (f"addr add {address}/30 dev line", "link set line up", "link set lo up"):
        subprocess.run(["ip", *words.split()], check=True)
    # Stays in this namespace, and goes with this program.
    return tun, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


(far, far_holder), (near, near_holder) = end_of_line("10.77.0.1"), end_of_line("10.77.0.2")
print(json.dumps({"far": far_holder.pid, "near": near_holder.pid}), flush=True)
to, on_way, number = {far: near, near: far}, [], 0
while True:
    wait = max(0, on_way[0][0] - time.monotonic()) if on_way else None
    ready, _, _ = select.select([far, near, 0], [], [], wait)
    for tun in ready:
        if tun == 0:
            if os.read(0, 1) == b"":
                sys.exit()
            continue
        packet = os.read(tun, 65536)
        if rng.random() >= loss:
            number += 1
            heapq.heappush(on_way, (time.monotonic() + delay, number, to[tun], packet))
    while on_way and on_way[0][0] <= time.monotonic():
        _, _, tun, packet = heapq.heappop(on_way)
        os.write(tun, packet)
