"""A class on one machine: JupyterHub, a server for each student, and the page of the class (docs/server.md).

    jupyterhub -f deploy/jupyterhub_config.py

Settings come from the environment:

    COURSE_AUTHENTICATOR  who checks passwords: pam (accounts of this machine, the default), or another name or class
                          that JupyterHub knows, such as github or ltiauthenticator.LTI13Authenticator
    COURSE_STUDENTS       a file with a user's name a line: who may log in. Without it and with pam, who has a password
    COURSE_TEACHERS       names with commas between: who sees the page of the class
    COURSE_RECORD         the folder where answers are kept (docs/teaching.md): turns the page of the class on
    COURSE_CLASS_PORT     the page's port on this machine (default 8765)
    COURSE_HUB_URL        where the hub listens (default http://127.0.0.1:8000, for a web server with TLS before it)

All else goes into a file of your own that begins with `load_subconfig("/srv/course/deploy/jupyterhub_config.py")`: what
stands below that line has the last word. JupyterHub says nothing where that path is wrong.
"""

import os
import pwd
import stat
import sys
from pathlib import Path

c = get_config()  # noqa: F821

DEPLOY = Path(__file__).resolve().parent
COURSE = DEPLOY.parent
OWN_PYTHON = COURSE / ".venv/bin/python"
PYTHON = str(OWN_PYTHON) if OWN_PYTHON.exists() else sys.executable
TEACHERS = [name.strip() for name in os.environ.get("COURSE_TEACHERS", "").split(",") if name.strip()]

# Who may come in.
authenticator = os.environ.get("COURSE_AUTHENTICATOR", "pam")
if authenticator == "dummy":
    raise ValueError("COURSE_AUTHENTICATOR=dummy lets anybody in under any name: name one that asks for a password")
c.JupyterHub.authenticator_class = authenticator
if listed := os.environ.get("COURSE_STUDENTS"):
    c.Authenticator.allowed_users = {*Path(listed).read_text(encoding="utf-8").split(), *TEACHERS}
elif authenticator == "pam":
    c.Authenticator.allow_all = True

# Where it listens. A hub that ends, to be upgraded say, leaves the students' servers running and finds them again.
c.JupyterHub.bind_url = os.environ.get("COURSE_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.cleanup_servers = False
proxy = DEPLOY / "node_modules/.bin/configurable-http-proxy"  # made by `npm ci --prefix deploy`; or one on the PATH
if proxy.exists():
    c.ConfigurableHTTPProxy.command = [str(proxy)]

# A student's server. The plain spawner limits no memory itself: deploy/start-student does, for each process.
first = min(path.name for path in (COURSE / "notebooks").glob("*.ipynb"))
c.Spawner.cmd = [str(DEPLOY / "start-student")]
c.Spawner.default_url = f"/lab/tree/{first}"
c.Spawner.start_timeout = 180  # seconds: thirty that begin at once wait for each other
c.Spawner.http_timeout = 180
c.Spawner.mem_guarantee = "0.6G"
c.Spawner.mem_limit = "3G"
c.Spawner.cpu_guarantee = 0.1
c.Spawner.cpu_limit = 1
c.Spawner.environment = {
    "COURSE_MAX_RATE": "30",  # updates a second of a live lab; results are the same
    "OMP_NUM_THREADS": "1",  # threads that wait for each other cost a full machine much
}
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # a file's permissions hold; on TCP others of this machine could read along
    "--MappingKernelManager.cull_idle_timeout=1800",  # seconds; a kernel that trains is not idle
    "--MappingKernelManager.cull_interval=120",
    "--MappingKernelManager.cull_connected=False",  # an open page keeps its kernel
]

# Beside the hub: who stops idle servers, and the page of the class.
c.JupyterHub.services = [{
    "name": "idle-culler",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600", "--cull-every=120"],
}]
c.JupyterHub.load_groups = {"teachers": {"users": TEACHERS}}
c.JupyterHub.load_roles = [{
    "name": "idle-culler",
    "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    "services": ["idle-culler"],
}]
if os.environ.get("COURSE_RECORD"):
    record = Path(os.environ["COURSE_RECORD"]).resolve()
    found = record.stat()
    if stat.S_IMODE(found.st_mode) & 0o1777 != 0o1733:
        raise ValueError(f"students would read or delete each other's answers in {record}, or could write none: "
                         f"`chmod 1733 {record}`")
    c.Spawner.environment["COURSE_RECORD"] = str(record)
    c.JupyterHub.services.append({
        "name": "class",
        "url": f"http://127.0.0.1:{os.environ.get('COURSE_CLASS_PORT', '8765')}",
        "command": [PYTHON, "-m", "course_lib", "class", str(record)],
        "cwd": str(COURSE),
        "user": pwd.getpwuid(found.st_uid).pw_name,  # whose folder it is: nobody else reads it
        "oauth_no_confirm": True,
    })
    c.JupyterHub.load_roles.append({
        "name": "teacher",
        "scopes": ["access:services!service=class"],
        "groups": ["teachers"],
    })
