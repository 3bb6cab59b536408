# SPDX-License-Identifier: Apache-2.0
"""What docker/ names exists: files, commands, settings. No engine runs here; this is the rest."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hub.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: s for name, s in COMPOSE["services"].items() if s["image"] == "breakwater"}
SETTING = re.compile(r"\b(BREAKWATER_[A-Z_]+|REDIS_URL)\b")


def copied():
    """Name what the Dockerfile copies out of this folder, not from another stage."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [word for line in lines for word in line.split()[:-1]]


def commands():
    entry = re.findall(r'^CMD \["(.+)"\]$', DOCKERFILE, re.MULTILINE)
    return [[c] for c in entry] + [s["command"] for s in OURS.values()]


@pytest.mark.parametrize("source", copied())
def test_what_the_image_copies_exists_and_reaches_the_builder(source):
    let_through = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()

    assert (ROOT / source).exists()
    assert f"!{source}" in let_through


def test_what_pip_and_uv_read_in_the_image_exists():
    files = re.findall(r"-r (\S+)", DOCKERFILE)

    assert len(files) == 2
    assert all((ROOT / file).is_file() for file in files)


def test_compose_builds_from_this_folder_with_this_dockerfile():
    for service in OURS.values():
        context = (DOCKER / service["build"]["context"]).resolve()

        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).samefile(DOCKER / "Dockerfile")


def test_the_entrypoint_of_the_image_can_be_run():
    entry = DOCKER / "entrypoint"

    assert f"COPY docker/{entry.name} /usr/local/bin/{entry.name}" in DOCKERFILE
    assert f'ENTRYPOINT ["{entry.name}"]' in DOCKERFILE
    assert os.access(entry, os.X_OK)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_that_a_container_starts_is_one_of_ours(words):
    assert helped(words).returncode == 0


def test_a_command_that_we_do_not_have_would_be_noticed():
    assert helped(["serv"]).returncode == 2
    assert helped(["db", "upgrad"]).returncode == 2


def test_every_setting_named_is_one_that_the_hub_reads():
    read = set(SETTING.findall((ROOT / "hub" / "settings.py").read_text(encoding="utf-8")))
    named = {name for text in settings_texts() for name in SETTING.findall(text)}

    assert len(named) >= 5
    assert named <= read


@pytest.mark.parametrize("service", OURS)
def test_the_settings_of_a_container_are_understood_by_the_hub(service):
    settings = Settings.read(image_environment() | filled_in(OURS[service]["environment"]))

    assert settings.data == Path("/data")
    assert settings.listen.port == 8080
    assert settings.redis_url == "redis://valkey:6379/0"
    assert settings.database_url == "postgresql://breakwater:secret@postgres/breakwater"


@pytest.mark.parametrize("service", OURS)
def test_a_container_can_do_no_more_than_it_must(service):
    container = OURS[service]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in container["security_opt"]
    assert re.search(r"^USER breakwater$", DOCKERFILE, re.MULTILINE)


def test_what_is_written_goes_to_a_volume():
    image = image_environment()

    assert image["BREAKWATER_DATA"] == "/data"
    assert Path(image["NUMBA_CACHE_DIR"]).is_relative_to("/data")
    assert all("hub:/data" in s["volumes"] for s in OURS.values())


def test_the_shared_redis_never_evicts():
    command = COMPOSE["services"]["valkey"]["command"]

    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_health_is_asked_where_the_hub_answers_it():
    asked = [DOCKERFILE, *COMPOSE["services"]["api"]["healthcheck"]["test"]]
    described = json.loads((ROOT / "docs" / "api" / "openapi.json").read_text(encoding="utf-8"))

    assert sum("http://127.0.0.1:8080/readyz" in text for text in asked) == 2
    assert "/readyz" in described["paths"]
    assert image_environment()["BREAKWATER_LISTEN"] == "0.0.0.0:8080"


def test_the_entrypoint_says_when_its_data_cannot_be_written(tmp_path):
    missing = tmp_path / "missing"

    run = entrypoint(["--version"], BREAKWATER_DATA=str(missing))

    assert run.returncode == 1
    assert str(missing) in run.stderr


def test_the_entrypoint_hands_over_to_the_command_line(tmp_path):
    run = entrypoint(["--version"], BREAKWATER_DATA=str(tmp_path))

    assert run.returncode == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", run.stdout)
    assert (tmp_path / "numba").is_dir()


def helped(words):
    command = [sys.executable, "-m", "hub.cli", *words, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 (ours)


def entrypoint(words, **environment):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(  # noqa: S603 (our own script)
        [str(DOCKER / "entrypoint"), *words],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def settings_texts():
    return [path.read_text(encoding="utf-8") for path in DOCKER.iterdir() if path.is_file()]


def image_environment():
    block = re.search(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)
    assert block
    return dict(word.split("=", 1) for word in block.group(1).split())


def filled_in(environment):
    """Put the values in that compose would: the default, or a password where one is demanded."""
    return {
        name: re.sub(r"\$\{\w+:\?[^}]*\}", "secret", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
        for name, value in environment.items()
    }
