"""Both programs with TLS between them: a small terminating proxy stands before the simulator."""
import contextlib
import datetime
import pathlib
import socket
import ssl
import subprocess
import threading

from harness import CHAIN, Skipped, wait_for

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def openssl(*arguments):
    try:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    except FileNotFoundError:
        raise Skipped("openssl is not installed") from None


class Authority:
    """A key and a certificate that signs others, below another one or by itself."""

    def __init__(self, folder, name, parent=None):
        self.folder, self.name = pathlib.Path(folder), name
        self.key, self.certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        (parent or self).sign(self, f"basicConstraints=critical,CA:TRUE", name)

    def sign(self, of, extension, name, days=(-1, 1)):
        now = datetime.datetime.now(datetime.timezone.utc)
        at = [(now + datetime.timedelta(days=d)).strftime("%y%m%d%H%M%SZ") for d in days]
        request, settings = of.folder / f"{of.name}.csr", of.folder / f"{of.name}.cnf"
        index = of.folder / f"{of.name}.index"
        index.write_text("")
        settings.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\nrand_serial=yes\ndefault_md=sha256\n"
            f"policy=p\nx509_extensions=e\nnew_certs_dir={of.folder}\n[p]\ncommonName=supplied\n"
            f"[e]\n{extension}\n[req]\ndistinguished_name=n\n[n]\n")
        openssl("req", "-new", "-key", of.key, "-subj", f"/CN={name}", "-config", settings, "-out", request)
        who = ["-selfsign", "-keyfile", self.key] if of is self else [
            "-cert", self.certificate, "-keyfile", self.key]
        openssl("ca", "-batch", "-notext", "-config", settings, *who, "-in", request,
                "-startdate", at[0], "-enddate", at[1], "-out", of.certificate)


class Leaf:
    def __init__(self, by, address, days=(-1, 1)):
        self.folder, self.name = by.folder, "leaf"
        self.key, self.certificate = self.folder / "leaf.key", self.folder / "leaf.pem"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        by.sign(self, f"subjectAltName={address}", "leaf", days)


class Terminator:
    """Takes TLS, and passes on what is in it. Ends with its test."""

    def __init__(self, leaf, target, old=False):
        self.target = target
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if old:
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.context.load_cert_chain(leaf.certificate, leaf.key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                taken, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(taken,), daemon=True).start()

    def serve(self, taken):
        try:
            inner = self.context.wrap_socket(taken, server_side=True)
        except (ssl.SSLError, OSError):
            taken.close()
            return
        outer = socket.create_connection(self.target)
        back = threading.Thread(target=self.copy, args=(outer, inner), daemon=True)
        back.start()
        self.copy(inner, outer)
        back.join(10)
        inner.close()
        outer.close()

    @staticmethod
    def copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):
            pass

    def close(self):
        self.listener.close()


def behind(w, leaf, old=False):
    w.write(CHAIN)
    w.simulate()
    host, port = w.host.removeprefix("http://").split(":")
    door = Terminator(leaf, (host, int(port)), old)
    w.env["CML_HOST"] = door.url
    return door


def refused(w, leaf, *words, authority=None, old=False):
    """`plan` ends with one line for the whole matter, and nothing has been asked of CML."""
    door = behind(w, leaf, old)
    flags = ["--ca-file", authority.certificate] if authority else []
    code, output, seconds = w.command("plan", "--config", w.file, *flags)
    door.close()
    assert code == 5, (code, output)
    assert seconds < 20, f"nothing comes right by itself here, and it went on for {seconds} s"
    for word in words:
        assert word in output, output
    assert not w.ledger()["calls"], w.ledger()


@test
def tls_with_an_authority_of_ones_own_converges(w):
    root = Authority(w.folder, "root")
    intermediate = Authority(w.folder, "intermediate", root)
    door = behind(w, Leaf(intermediate, "IP:127.0.0.1"))
    bundle = w.write(intermediate.certificate.read_text() + root.certificate.read_text(), "bundle.pem")
    code, output, _ = w.apply("--ca-file", bundle)
    door.close()
    assert code == 0, output
    assert len(w.ledger()["runs"]) == 3


@test
def tls_of_an_unknown_authority_is_refused_with_advice(w):
    refused(w, Leaf(Authority(w.folder, "root"), "IP:127.0.0.1"), "authority that is not known here (root)",
            "--ca-file")


@test
def tls_of_a_leaf_without_its_intermediate_is_refused_with_advice(w):
    root = Authority(w.folder, "root")
    refused(w, Leaf(Authority(w.folder, "intermediate", root), "IP:127.0.0.1"),
            "not known here (intermediate)", "the intermediate ones included, with --ca-file", authority=root)


@test
def tls_for_another_host_is_refused_with_its_names(w):
    root = Authority(w.folder, "root")
    refused(w, Leaf(root, "DNS:cml.example.com"), "is made out for cml.example.com",
            "use a host name that it holds", authority=root)


@test
def tls_that_has_expired_is_refused_with_the_date(w):
    root = Authority(w.folder, "root")
    refused(w, Leaf(root, "IP:127.0.0.1", (-3, -2)), "has expired", "renew it", authority=root)


@test
def tls_older_than_1_2_is_refused_with_the_remedy(w):
    root = Authority(w.folder, "root")
    refused(w, Leaf(root, "IP:127.0.0.1"), "TLS 1.2 or newer is needed: enable it on the server",
            authority=root, old=True)


@test
def https_where_plain_http_is_spoken_asks_for_the_scheme(w):
    w.write(CHAIN)
    plain = socket.create_server(("127.0.0.1", 0))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                taken, _ = plain.accept()
                taken.recv(1)
                taken.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                taken.close()

    threading.Thread(target=answer, daemon=True).start()
    w.env["CML_HOST"] = f"https://127.0.0.1:{plain.getsockname()[1]}"
    code, output, _ = w.command("plan", "--config", w.file)
    plain.close()
    assert code == 5, (code, output)
    assert "does not speak TLS: is it http:// or another port?" in output, output


@test
def run_behind_bad_tls_is_unreachable_and_recovers_by_itself(w):
    root = Authority(w.folder, "root")
    door = behind(w, Leaf(root, "DNS:cml.example.com"))
    daemon = w.run_daemon("--ca-file", root.certificate)
    wait_for("the reason", lambda: "is made out for cml.example.com" in daemon.output, 30)
    door.context.load_cert_chain(Leaf(root, "IP:127.0.0.1").certificate, root.folder / "leaf.key")
    wait_for("a converged project", lambda: "Converged" in daemon.output, 120)
    door.close()
