"""Two models of MLServer: one counts words, the other does so too once a file is there that it waits for."""

import asyncio
import os
from typing import List

from mlserver import MLModel
from mlserver.codecs import decode_args
from mlserver.errors import InferenceError


class Words(MLModel):
    @decode_args
    async def predict(self, text: List[str]) -> List[str]:
        if any(line == "" for line in text):
            raise InferenceError("a text is empty")
        return [str(len(line.split())) for line in text]


class LateWords(Words):
    async def load(self) -> bool:
        while not os.path.exists(os.environ["LOAD_WHEN"]):
            await asyncio.sleep(0.05)
        return True
