"""The sandbox answers as the provider documents: every request, every error, every rule, over real sockets."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import jsonschema
import pytest

from tests.support.sandbox_api import CREATE, ApiClient, api
from veo_mcp.sandbox.openapi import ERRORS
from veo_mcp.sandbox.page import KEYS, SWITCHES

pytestmark = pytest.mark.anyio


def is_error(answer: httpx2.Response, code: str) -> None:
    status, kind = ERRORS[code]
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "type"}
    assert (error["code"], error["type"]) == (code, kind)
    assert answer.headers["x-veo-sandbox"]


async def test_a_video_runs_from_pending_to_completed_and_is_paid_once(tmp_path: Path) -> None:
    async with api(tmp_path, seconds=0.5) as client:
        made = await client.create(prompt="A dog playing in a park", mode="fast", aspect_ratio="16:9")
        assert made.status_code == 200
        assert {"code": 200, "msg": "success"}.items() <= made.json().items()
        task_id = made.json()["data"]["taskId"]
        first = (await client.get(f"/v1/tasks/{task_id}")).json()
        assert first["status"] in ("pending", "processing")
        assert first["progress"] is None or 0 <= first["progress"] < 100
        assert await client.credits() == {"balance": 9960, "total_purchased": 10000, "total_consumed": 40}
        task = await client.ended(task_id)
        assert set(task) == {"id", "status", "model", "created_at", "completed_at", "output"}
        assert isinstance(task["created_at"], int)
        assert task["output"]["metadata"] == {"resolution": "720p"}
        (url,) = task["output"]["urls"]
        part = await client.http.get(url, headers={"Range": "bytes=0-99"})
        assert part.status_code == 206
        assert len(part.content) == 100
        whole = await client.http.get(url)
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.content.index(b"moov") < whole.content.index(b"mdat")


WRONG: dict[str, tuple[Any, str]] = {
    "no model": ({"input": {"prompt": "x"}}, "invalid_request"),
    "an unknown model": ({"model": "veo-9", "input": {"prompt": "x"}}, "model_not_found"),
    "a model that is no string": ({"model": ["veo-3"], "input": {"prompt": "x"}}, "model_not_found"),
    "no input": ({"model": "veo-3"}, "invalid_request"),
    "an input that is a list": ({"model": "veo-3", "input": []}, "invalid_request"),
    "no prompt": ({"model": "veo-3", "input": {}}, "invalid_request"),
    "an empty prompt": ({"model": "veo-3", "input": {"prompt": " "}}, "invalid_request"),
    "a body that is a list": ([1], "invalid_request"),
    "an unknown mode": ({"model": "veo-3", "input": {"prompt": "x", "mode": "best"}}, "invalid_request"),
    "an unknown ratio": ({"model": "veo-3", "input": {"prompt": "x", "aspect_ratio": "4:3"}}, "invalid_request"),
    "seeds too low": ({"model": "veo-3", "input": {"prompt": "x", "seeds": 9999}}, "invalid_request"),
    "seeds too high": ({"model": "veo-3", "input": {"prompt": "x", "seeds": 100000}}, "invalid_request"),
    "a field of the other model": (
        {"model": "veo-3", "input": {"prompt": "x", "extend_task_id": "y"}},
        "invalid_request",
    ),
    "mode in an extension": (
        {"model": "veo-3-extend", "input": {"prompt": "x", "extend_task_id": "y", "mode": "fast"}},
        "invalid_request",
    ),
    "an extension of nothing": ({"model": "veo-3-extend", "input": {"prompt": "x"}}, "invalid_request"),
    "an extension of the unknown": (
        {"model": "veo-3-extend", "input": {"prompt": "x", "extend_task_id": "nope"}},
        "task_not_found",
    ),
    "a callback that is no URL": (
        {"model": "veo-3", "callback_url": "ftp://x/y", "input": {"prompt": "x"}},
        "invalid_request",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_request_gets_the_documented_error_and_costs_nothing(tmp_path: Path, name: str) -> None:
    body, code = WRONG[name]
    async with api(tmp_path) as client:
        is_error(await client.post(body), code)
        assert (await client.credits())["total_consumed"] == 0


async def test_the_missing_model_is_named_word_for_word(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        assert (await client.post({})).json()["error"]["message"] == "'model' is required."


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("not-a-key", "invalid_api_key"),
        ("sk-" + "x" * 300, "invalid_api_key"),
        ("sk-sandbox-disabled", "invalid_api_key"),
        ("sk-sandbox-ip", "ip_not_allowed"),
        ("sk-sandbox-limited", "spend_limit_exceeded"),
        ("sk-sandbox-poor", "insufficient_credits"),
    ],
)
async def test_special_keys_meet_their_fate(tmp_path: Path, key: str, code: str) -> None:
    async with api(tmp_path, key) as client:
        is_error(await client.create(), code)


async def test_a_key_that_may_ask_once_a_second_learns_when_to_try_again(tmp_path: Path) -> None:
    async with api(tmp_path, "sk-sandbox-rate") as client:
        assert (await client.get("/v1/credits")).status_code == 200
        answer = await client.get("/v1/credits")
        is_error(answer, "rate_limit_exceeded")
        assert answer.headers["retry-after"] == "1"


async def test_limits_and_allowlists_of_a_key_come_from_a_file_and_take_effect_at_once(tmp_path: Path) -> None:
    rules = {
        "sk-hourly": {"hourly": 80},
        "sk-daily": {"daily": 40},
        "sk-total": {"total": 40, "credits": 500},
        "sk-inside": {"allow": ["10.0.0.0/8", "127.0.0.0/8"]},
        "sk-outside": {"allow": ["10.0.0.0/8"]},
        "sk-gone": {"disabled": True},
    }
    async with api(tmp_path) as client:
        (tmp_path / "accounts.json").write_text(json.dumps(rules))
        for key, fits in (("sk-hourly", 2), ("sk-daily", 1), ("sk-total", 1)):
            caller = ApiClient(client.http, key)
            for number in range(fits):
                assert (await caller.create(prompt=f"[sandbox:slow] {number}")).status_code == 200
            is_error(await caller.create(), "spend_limit_exceeded")
        assert (await ApiClient(client.http, "sk-total").credits())["balance"] == 460
        assert (await ApiClient(client.http, "sk-inside").create(prompt="[sandbox:slow]")).status_code == 200
        is_error(await ApiClient(client.http, "sk-outside").create(), "ip_not_allowed")
        is_error(await ApiClient(client.http, "sk-gone").create(), "invalid_api_key")
        (tmp_path / "accounts.json").write_text("{ not json")
        is_error(await ApiClient(client.http, "sk-gone").create(), "invalid_api_key")


async def test_switches_in_a_prompt_decide_the_fate_of_a_create(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        is_error(await client.create(prompt="[sandbox:upstream_error]"), "upstream_error")
        assert (await client.credits())["total_consumed"] == 0
        first = await client.create(prompt="[sandbox:rate_limit] a")
        is_error(first, "rate_limit_exceeded")
        assert first.headers["retry-after"] == "2"
        assert (await client.create(prompt="[sandbox:rate_limit] a")).status_code == 200
        is_error(await client.create(prompt="[sandbox:internal_error]"), "internal_error")
        garbage = await client.create(prompt="[sandbox:garbage]")
        assert garbage.status_code == 200
        assert b"garbage" in garbage.content
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.create(prompt="[sandbox:drop]")
        body = {"model": "veo-3", "input": {"prompt": "[sandbox:timeout]"}}
        with pytest.raises(httpx2.ReadTimeout):
            await client.http.post(CREATE, json=body, headers=client.headers, timeout=0.3)
        assert (await client.credits())["total_consumed"] == 5 * 40


async def test_a_failed_task_is_refunded_exactly_once(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        task_id = (await client.create(prompt="[sandbox:fail]")).json()["data"]["taskId"]
        task = await client.ended(task_id)
        assert set(task) == {"id", "status", "model", "created_at", "error"}
        assert task["error"] == {"code": "upstream_error", "message": "Video generation failed"}
        assert await client.credits() == {"balance": 10000, "total_purchased": 10000, "total_consumed": 0}
        is_error(
            await client.post({"model": "veo-3-extend", "input": {"prompt": "x", "extend_task_id": task_id}}),
            "invalid_request",
        )


async def test_tasks_belong_to_their_key(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        task_id = (await client.create(prompt="[sandbox:slow]")).json()["data"]["taskId"]
        is_error(await ApiClient(client.http, "sk-other").get(f"/v1/tasks/{task_id}"), "task_not_found")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://2130706433/a.png",
        "http://0x7f000001/a.png",
        "http://0177.0.0.1/a.png",
        "http://localhost/a.png",
        "http://[::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://[64:ff9b::7f00:1]/a.png",
        "http://[2002:7f00:1::]/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1/a.png",
        "http://10.0.0.1/a.png",
        "http://192.168.1.1/a.png",
        "http://0.0.0.0/a.png",
        "http://[::]/a.png",
        "http://user:pw@example.com/a.png",
        "http://example.com:8080/a.png",
        "http://metadata.internal/a.png",
    ],
)
async def test_a_hostile_url_is_refused_by_its_words(tmp_path: Path, url: str) -> None:
    async with api(tmp_path, allow_private=False) as client:
        is_error(await client.create(image_urls=[url]), "invalid_request")
        is_error(
            await client.post({"model": "veo-3", "callback_url": url, "input": {"prompt": "x"}}), "invalid_request"
        )
        assert (await client.credits())["total_consumed"] == 0


async def test_the_documented_requests_work_as_curl_lines(tmp_path: Path) -> None:
    curl = shutil.which("curl")
    assert curl
    async with api(tmp_path, "sk-your-api-key") as client:
        base = str(client.http.base_url).rstrip("/")

        async def ask(*arguments: str) -> Any:
            line = [curl, "-sS", *arguments, "-H", "Authorization: Bearer sk-your-api-key"]
            done = await anyio.to_thread.run_sync(lambda: subprocess.run(line, capture_output=True, check=True))
            return json.loads(done.stdout)

        async def post(body: dict[str, Any]) -> str:
            said = await ask(
                "-X", "POST", base + CREATE, "-H", "Content-Type: application/json", "-d", json.dumps(body)
            )
            assert said["msg"] == "success", said
            return said["data"]["taskId"]

        text = {"prompt": "A dog playing in a park, cinematic lighting", "mode": "fast", "aspect_ratio": "16:9"}
        images = ["https://example.com/start.jpg", "https://example.com/end.jpg"]
        first = await post({"model": "veo-3", "input": text})
        frames = await post(
            {
                "model": "veo-3",
                "input": {
                    "prompt": "A person walks from the park to the city center",
                    "generation_type": "FIRST_AND_LAST_FRAMES_2_VIDEO",
                    "image_urls": images,
                    "aspect_ratio": "16:9",
                },
            }
        )
        reference = await post(
            {
                "model": "veo-3",
                "input": {
                    "prompt": "Create a product showcase video based on these reference images",
                    "generation_type": "REFERENCE_2_VIDEO",
                    "mode": "fast",
                    "image_urls": images,
                    "aspect_ratio": "16:9",
                },
            }
        )
        assert (await client.ended(first))["status"] == "completed"
        go_on = {"prompt": "Continue the scene, camera slowly zooms out", "extend_task_id": first}
        extension = await post({"model": "veo-3-extend", "input": go_on})
        assert (await ask(f"{base}/v1/tasks/{extension}"))["model"] == "veo-3-extend"
        # Nothing on this machine reaches example.com: accepted, charged, then failed and refunded.
        assert (await client.ended(frames))["status"] == "failed"
        assert (await client.ended(reference))["status"] == "failed"
        assert (await client.ended(extension))["status"] == "completed"
        assert (await ask(f"{base}/v1/credits"))["data"]["total_consumed"] == 80


async def test_every_answer_is_as_openapi_describes_it(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        described = (await client.http.get("/openapi.json")).json()
        assert described["openapi"].startswith("3.1")
        assert set(described["paths"]) == {CREATE, "/v1/tasks/{taskId}", "/v1/credits"}

        def fits(answer: httpx2.Response, path: str, method: str) -> None:
            answers = described["paths"][path][method]["responses"]
            schema = answers[str(answer.status_code)]["content"]["application/json"]["schema"]
            jsonschema.validate(answer.json(), schema)

        made = await client.create(prompt="[sandbox:fail]")
        fits(made, CREATE, "post")
        task_id = made.json()["data"]["taskId"]
        fits(await client.get(f"/v1/tasks/{task_id}"), "/v1/tasks/{taskId}", "get")
        await client.ended(task_id)
        fits(await client.get(f"/v1/tasks/{task_id}"), "/v1/tasks/{taskId}", "get")
        fits(await client.get("/v1/tasks/nope"), "/v1/tasks/{taskId}", "get")
        fits(await client.get("/v1/credits"), "/v1/credits", "get")
        for body, _code in WRONG.values():
            fits(await client.post(body), CREATE, "post")


async def test_the_page_lists_every_switch_and_key_and_escapes_prompts(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        task_id = (await client.create(prompt="<script>alert(1)</script> sea")).json()["data"]["taskId"]
        await client.ended(task_id)
        page = (await client.http.get("/")).text
        assert all(f"<code>[sandbox:{name}]</code>" in page for name in SWITCHES)
        assert all(f"<code>{name}</code>" in page for name in KEYS)
        assert "&lt;script&gt;alert" in page
        assert "<script" not in page
        assert "<video" in page


async def test_paths_outside_the_videos_are_not_served(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        for path in ("/videos/../ledger.db", "/videos/%2e%2e/ledger.db", "/videos/", "/videos/x.mp4", "/ledger.db"):
            assert (await client.http.get(path)).status_code == 404


async def test_a_large_body_is_refused(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        is_error(await client.create(prompt="x" * 400_000), "invalid_request")


async def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    async with api(tmp_path, seconds=60) as client:
        ledger = (await client.get("/v1/credits")).headers["x-veo-sandbox"]
        task_id = (await client.create(prompt="[sandbox:fail] later")).json()["data"]["taskId"]
    async with api(tmp_path) as client:
        again = await client.get("/v1/credits")
        assert again.headers["x-veo-sandbox"] == ledger
        assert (await client.ended(task_id))["status"] == "failed"
        assert (await client.credits())["balance"] == 10_000
