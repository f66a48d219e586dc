"""A process outside of the sandbox, of the same account: it listens, holds a secret and can be hurt."""
import json, os, select, socket, sys

outside, abstract = sys.argv[1:]
tcp = socket.create_server(("127.0.0.1", 0))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
listening = [tcp, udp]
for address in [outside + "/socket", "\0" + abstract]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    listening.append(server)
os.chdir(outside)
print(json.dumps({"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}), flush=True)
while True:
    for one in select.select(listening, [], [])[0]:
        if one is udp:
            data, sender = udp.recvfrom(100)
            udp.sendto(data, sender)
        else:
            one.accept()[0].close()
