"""What an agent is given: its credentials and the settings that use them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridwarden.identity import files
from gridwarden.identity.authority import Issued

VARIABLE = "GRIDWARDEN_BROKER_PASSWORD"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One agent's credentials; shown once and kept nowhere."""

    agent: str
    station: str
    host: str
    port: int
    ca: bytes
    secret: str | Issued  # its password, or its certificate
    username: str  # that the password is for

    def __repr__(self) -> str:
        return f"Bundle({self.agent} at {self.station})"

    def settings(self) -> str:
        """The part of the agent's settings file that uses them; its files lie beside it."""
        lines = [
            "[agent]",
            f'name = "{self.agent}"',
            f'station = "{self.station}"',
            "",
            "[broker]",
            f'host = "{self.host}"',
            f"port = {self.port}",
            "tls = true",
            'ca_file = "ca.crt"',
        ]
        if isinstance(self.secret, Issued):
            lines += [
                'cert_file = "agent.crt"',
                'key_file = "agent.key"',
            ]
        else:
            lines += [f'username = "{self.username}"', f'password = "${{{VARIABLE}}}"']
        return "\n".join([*lines, ""])

    def contents(self) -> dict[str, bytes]:
        """The files of the bundle by name."""
        found = {"ca.crt": self.ca, "broker.toml": self.settings().encode()}
        if isinstance(self.secret, Issued):
            # the key first: a pair that does not fit yet is tried again by the agent
            found |= {"agent.key": self.secret.key, "agent.crt": self.secret.certificate}
        else:
            found |= {"agent.env": f"{VARIABLE}={self.secret}\n".encode()}
        return found


def write(bundle: Bundle, folder: Path) -> list[Path]:
    """Put the bundle's files into the folder, 0600; their paths. Raises IdentityError."""
    files.make_folder(folder)
    paths = []
    for name, content in bundle.contents().items():
        files.write(folder / name, content)
        paths.append(folder / name)
    return paths
