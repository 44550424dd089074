"""A language model in plain PyTorch: small enough to read in an evening, and compatible with what others use.

    config     what a model is, and `of_size`, the one dial              needs no torch
    llama      the transformer, with the parameter names of Hugging Face
    attention  which tokens look at which: never from one document into another; `isolation` proves it
    folder     models as folders that `transformers` loads
    checkpoints  which there are, and whether they are whole          needs no torch
    schedule   the learning rate of each step                            needs no torch
    job        what a training run is told, as plain data                needs no torch
    data       rows of tokens: of a plan over token shards, or of chats
    chats      chats as tokens, and which of them are trained on         needs no torch
    optim      AdamW and Muon
    loop       the one training loop; `ranks` it runs on, `launch` starts them
    generate   text from a model; `batches` answers many who ask
    serve      an OpenAI-compatible endpoint on this machine
    exports    the same run as configurations of other trainers          needs no torch
    card       the model's card                                          needs no torch

The room knows no machine, no step and no recipe. It imports the format of token shards, and nothing else of the
pipeline.
"""

from codemill.model.config import Config, of_size
from codemill.model.job import Job
from codemill.model.schedule import Schedule

__all__ = ["Config", "Job", "Schedule", "of_size"]
