"""A service with a method that responds at once, and a task that ends once a file is there that it waits for."""

import os
import time

import bentoml
from bentoml.exceptions import InvalidArgument


def count(text: str) -> dict[str, object]:
    if text == "":
        raise InvalidArgument("the text is empty")
    return {"text": text, "words": len(text.split())}


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 2})
class Words:
    @bentoml.api
    def read(self, text: str) -> dict[str, object]:
        return count(text)

    @bentoml.task
    def scan(self, text: str) -> dict[str, object]:
        while not os.path.exists(os.environ["SCAN_WHEN"]):
            time.sleep(0.05)
        return count(text)
