"""The hub of the tests: deploy/jupyterhub_config.py, and what a test must have otherwise. It runs on loopback alone.

Students are numbers of users, which need no account on this machine. Any name gets in with the one password.
"""

import json
import os
import sys
from pathlib import Path

from jupyterhub.auth import DummyAuthenticator
from jupyterhub.spawner import LocalProcessSpawner

c = get_config()  # noqa: F821
told = json.loads(os.environ["COURSE_HUB_TEST"])  # by tests/hub/hub.py


class NumberedSpawner(LocalProcessSpawner):
    """Each student is a user number of his own, with a home folder; all else as in LocalProcessSpawner."""

    def make_preexec_fn(self, name):
        number, home = told["users"][name], self._home(name)

        def become() -> None:
            os.setgroups([])
            os.setgid(number)
            os.setuid(number)
            os.chdir(home)

        return become

    def _home(self, name) -> str:
        return str(Path(told["homes"]) / name)

    def user_env(self, env):
        return env | {"USER": self.user.name, "HOME": self._home(self.user.name)}


load_subconfig(told["config"])  # noqa: F821

c.JupyterHub.authenticator_class = DummyAuthenticator
c.DummyAuthenticator.password = told["password"]
c.Authenticator.allowed_users = set(told["users"])
c.JupyterHub.spawner_class = NumberedSpawner
c.JupyterHub.hub_port = told["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{told['proxy_port']}"
c.Spawner.environment |= told["environment"]
c.Spawner.args += ["--LabApp.expose_app_in_browser=True", *told["options"]]
for service in c.JupyterHub.services:
    if service["name"] == "idle-culler":
        service["command"] = [sys.executable, "-m", "jupyterhub_idle_culler", *told["culler"]]
    service.setdefault("environment", {})["PYTHONPATH"] = told["course"]
c.JupyterHub.last_activity_interval = 2  # seconds, for a culler that does not wait long
c.JupyterHub.services.append({"name": "tests", "api_token": told["token"]})
c.JupyterHub.load_roles.append({"name": "tests", "services": ["tests"],
                                "scopes": ["admin:users", "admin:servers", "access:servers"]})  # as load_test.py asks
