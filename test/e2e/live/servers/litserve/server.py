"""A server with a path of its own, and those of OpenAI for chats and embeddings."""

import sys

import litserve as ls
from fastapi import HTTPException


class Words(ls.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        if not request.get("text"):
            raise HTTPException(status_code=422, detail="the text is empty")
        return request["text"]

    def predict(self, text):
        return {"words": len(text.split())}

    def encode_response(self, output):
        return output


class Chat(ls.LitAPI):
    def setup(self, device):
        pass

    def predict(self, request):
        yield "You said: "
        yield request.messages[-1].content


class Embeddings(ls.LitAPI):
    def setup(self, device):
        pass

    def predict(self, inputs):
        return [[float(len(text)), 0.5] for text in inputs]

    def encode_response(self, output):
        return {"embeddings": output}


if __name__ == "__main__":
    apis = [
        Words(api_path="/predict"),
        Chat(spec=ls.OpenAISpec()),
        Embeddings(spec=ls.OpenAIEmbeddingSpec()),
    ]
    server = ls.LitServer(apis, accelerator="cpu", workers_per_device=1, timeout=30)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False)
