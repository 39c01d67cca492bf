"""What deploy/jupyterhub_config.py makes of its environment. tests/hub runs it."""

import os
from pathlib import Path

import pytest
from traitlets.config.loader import PyFileConfigLoader

pytestmark = pytest.mark.skipif(os.name == "nt", reason="JupyterHub runs on Linux and macOS")

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NAMES = ("AUTHENTICATOR", "STUDENTS", "TEACHERS", "RECORD", "CLASS_PORT", "HUB_URL")


@pytest.fixture
def load(monkeypatch):
    """The configuration with these variables, each without its `COURSE_`."""
    def load(**told):
        for name in NAMES:
            monkeypatch.delenv(f"COURSE_{name}", raising=False)
        for name, value in told.items():
            monkeypatch.setenv(f"COURSE_{name}", str(value))
        return PyFileConfigLoader("jupyterhub_config.py", str(DEPLOY)).load_config()
    return load


def services(config):
    return {service["name"]: service for service in config.JupyterHub.services}


def test_by_default_accounts_of_the_machine_on_loopback_and_no_page_of_the_class(load):
    config = load()
    assert config.JupyterHub.authenticator_class == "pam" and config.Authenticator.allow_all
    assert config.JupyterHub.bind_url.startswith("http://127.0.0.1:")
    assert set(services(config)) == {"idle-culler"} and "COURSE_RECORD" not in config.Spawner.environment
    assert os.access(config.Spawner.cmd[0], os.X_OK)


def test_a_list_of_students_keeps_others_out_and_lets_teachers_in(load, tmp_path):
    (tmp_path / "names").write_text("ann\nbob\n", encoding="utf-8")
    config = load(STUDENTS=tmp_path / "names", TEACHERS="zhang, wang")
    assert config.Authenticator.allowed_users == {"ann", "bob", "zhang", "wang"}
    assert "allow_all" not in config.Authenticator
    assert config.JupyterHub.load_groups == {"teachers": {"users": ["zhang", "wang"]}}


def test_another_authenticator_lets_in_nobody_by_itself(load):
    config = load(AUTHENTICATOR="github")
    assert config.JupyterHub.authenticator_class == "github" and "allow_all" not in config.Authenticator


def test_any_password_is_refused(load):
    with pytest.raises(ValueError, match="anybody in under any name"):
        load(AUTHENTICATOR="dummy")


def test_the_page_of_the_class_runs_as_the_owner_of_its_folder_for_teachers(load, tmp_path):
    import pwd

    tmp_path.chmod(0o1733)
    config = load(RECORD=tmp_path, CLASS_PORT=4321)
    page = services(config)["class"]
    assert page["user"] == pwd.getpwuid(os.getuid()).pw_name and page["url"] == "http://127.0.0.1:4321"
    assert page["command"][1:] == ["-m", "course_lib", "class", str(tmp_path)]
    assert config.Spawner.environment["COURSE_RECORD"] == str(tmp_path)
    assert [role["scopes"] for role in config.JupyterHub.load_roles if role.get("groups") == ["teachers"]] == [
        ["access:services!service=class"]]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o733, 0o700])
def test_a_folder_where_students_could_read_or_delete_answers_is_refused(load, tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(ValueError, match="chmod 1733"):
        load(RECORD=tmp_path)


def test_what_a_teacher_s_own_file_says_has_the_last_word(tmp_path):
    own = tmp_path / "config.py"
    own.write_text(f"load_subconfig({str(DEPLOY / 'jupyterhub_config.py')!r})\nc.Spawner.mem_limit = '2G'\n"
                   "c.Spawner.environment['COURSE_MAX_RATE'] = '10'\n", encoding="utf-8")
    config = PyFileConfigLoader(own.name, str(tmp_path)).load_config()
    assert config.Spawner.mem_limit == "2G" and config.Spawner.cpu_limit == 1
    assert config.Spawner.environment == {"COURSE_MAX_RATE": "10", "OMP_NUM_THREADS": "1"}
