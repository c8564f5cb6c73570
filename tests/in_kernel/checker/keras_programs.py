"""Random models: layers put together, compiled, trained and called, mostly in a way that does not fit."""

import random

SETUP = """
import pandas as pd
units, rate = 4, 0.3
seq = np.zeros((10, 4, 3))
frame = pd.DataFrame({"a": np.arange(20.0), "b": np.arange(20.0)})
series = pd.Series(y)
def unknown(v): return v
"""
FALLBACK = "except Exception: m = Sequential([Input((8,)), layers.Dense(3)])"
LAYERS = """
Dense Dense Conv1D Conv2D Conv2D Conv2DTranspose Conv1DTranspose DepthwiseConv2D SeparableConv2D SeparableConv1D
MaxPooling2D MaxPooling1D AveragePooling2D GlobalAveragePooling1D GlobalMaxPooling2D Flatten Flatten Reshape Dropout
Activation BatchNormalization LayerNormalization Embedding LSTM GRU SimpleRNN Bidirectional TimeDistributed RepeatVector
Permute UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D SpatialDropout1D LeakyReLU Softmax
Lambda MaxPooling3D Conv3D GlobalAveragePooling2D Masking PReLU GaussianNoise Rescaling ELU ReLU UpSampling3D
""".split()
# What the constructors of some layers are given.
ARGUMENTS = {
    "Reshape": "(2, -1)|(4, 2)|(8,)|(-1,)|(2, 2, 2)|(12,)|(1, 8, 1)|[4, 4]|(units, 2)|(2, 2, -1)",
    "Dropout": "0.2|0.5|1.5|rate",
    "SpatialDropout1D": "0.2",
    "GaussianNoise": "0.2",
    "Rescaling": "0.5",
    "Activation": "'relu'|'softmx'|'tanh'",
    "Embedding": "10, 2|10, 4|units, 2",
    "LSTM": "2|3|units",
    "GRU": "2|3|units",
    "SimpleRNN": "2|3|units",
    "RepeatVector": "2|3|units",
    "Permute": "(2, 1)|(1, 2)|(3, 1, 2)|(1,)|(2, 3)",
    "UpSampling1D": "2|3",
    "UpSampling2D": "2|(2, 1)|(1, 2, 2)|",
    "UpSampling3D": "2|(2, 1)|(1, 2, 2)|",
    "ZeroPadding1D": "1|(1, 2)|2",
    "ZeroPadding2D": "1|(1, 2)|((1, 0), (2, 1))",
    "Cropping1D": "1|(1, 2)|3",
    "Cropping2D": "1|(1, 2)|((1, 0), (2, 1))|3",
    "Lambda": "lambda v: v * 2",
    "Dense": "1|2|3|4|8|units|units",
}
MERGING = (
    "layers.Concatenate()([{}, {}])|layers.Add()([{}, {}])|layers.concatenate([{}, {}], axis=1)|{} + {}|"
    "layers.multiply([{}, {}])|layers.Average()([{}, {}])|layers.Dot(1)([{}, {}])|layers.Subtract()([{}, {}])|"
    "layers.Concatenate(axis=1)([{}, {}])"
)
ARRAYS = (
    "x|x|x[:, :7]|images|seq|x[0]|x[:, :, None]|x[:4]|np.zeros((4, 2))|np.zeros((4, 8))|np.zeros((20, 4, 3))|"
    "np.zeros((2, 4, 1))|np.zeros((6, 8, 8, 3))|unknown(x)|frame|frame['a']|x.astype(int)|x.astype(object)"
)
TARGETS = (
    "y|y|onehot|y.reshape(-1, 1)|y[:5]|y + 1|y % 2|y[:10]|np.zeros((20, 2))|np.zeros(20)|series|y - 1|"
    "np.zeros((10, 1))|np.zeros((10, 3))|keras.utils.to_categorical(y)"
)
LOSSES = (
    "'mse'|'mae'|'categorical_crossentropy'|'sparse_categorical_crossentropy'|'binary_crossentropy'|loss='mse'|"
    "keras.losses.SparseCategoricalCrossentropy(from_logits=True)|keras.losses.BinaryCrossentropy()|"
    "keras.losses.CategoricalCrossentropy()"
)
FIT = (
    "|||, epochs=2|, validation_split=0.2|, batch_size=4|, validation_data=(x, y)|, steps_per_epoch=1|"
    ", callbacks=[keras.callbacks.EarlyStopping(monitor='loss')]|, class_weight={0: 1, 1: 2, 2: 1}"
)
RESULTS = "p[0, 5]|p.shape[2]|p[:, 0]|p[25]|p.shape|p.reshape(-1, 3)|a, b = p[0]"


class Models:
    """Writes a program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, texts: str) -> str:
        return self.random.choice(texts.split("|"))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def shape(self) -> str:
        sizes = self.random.choices(
            ["1", "2", "3", "4", "5", "8", "8", "12", "None"], k=self.random.choice([1, 1, 2, 3, 3])
        )
        return "(" + ", ".join(sizes) + ",)"

    def sizes(self, rank: int) -> str:
        if self.chance(0.6):
            return self.one("1|2|2|3|5")
        count = self.random.choice([rank, rank, rank, 2])
        return "(" + ", ".join(self.one("1|2|2|3|5") for _ in range(count)) + ",)"

    def layer(self) -> str:
        kind = self.random.choice(LAYERS)
        given = [f"name='n{self.random.randint(0, 3)}'"] if self.chance(0.1) else []
        given += ["foo=1"] if self.chance(0.03) else []
        rank = next((int(each) for each in kind if each.isdigit()), 1)
        first: list[str] = []
        if kind in ARGUMENTS:
            first = [self.one(ARGUMENTS[kind])]
        elif "Conv" in kind:
            first = [self.one("1|2|4|0|units"), self.sizes(rank)]
            first = first[1:] if kind.startswith("Depthwise") else first
            given += [
                f"padding={self.one(chr(39) + 'same' + chr(39) + '|' + repr('causal') + '|' + repr('smae'))}"
            ] * self.chance(0.3)
            given += [f"{self.one('strides|dilation_rate')}={self.sizes(rank)}"] * self.chance(0.4)
            given += ["groups=2"] * (self.chance(0.05) and kind in ("Conv1D", "Conv2D"))
        elif kind == "Bidirectional":
            inner = self.one("LSTM|GRU|SimpleRNN")
            first = [f"layers.{inner}(3{self.one('|, return_sequences=True')})"]
            given += [f"merge_mode={self.one(repr('sum') + '|None|' + repr('concat'))}"] * self.chance(0.2)
        elif kind == "TimeDistributed":
            first = [
                self.one("layers.Dense(2)|layers.Flatten()|layers.Conv2D(2, 2)|layers.LSTM(2)|layers.Dropout(0.1)")
            ]
        elif "Pooling" in kind and "Global" not in kind:
            first = [self.sizes(rank)] * self.chance(0.7)
            given += [f"strides={self.sizes(rank)}"] * self.chance(0.3)
            given += ["padding='same'"] * self.chance(0.2)
        if kind in ("LSTM", "GRU", "SimpleRNN"):
            given += ["return_sequences=True"] * self.chance(0.5) + ["return_state=True"] * self.chance(0.05)
        if kind == "Dense":
            given += [
                f"activation={self.one(repr('relu') + '|' + repr('rellu') + '|keras.activations.relu|lambda v: v')}"
            ] * self.chance(0.15)
        return f"layers.{kind}({', '.join(each for each in [*first, *given] if each)})"

    def build(self) -> list[str]:
        parts = [self.layer() for _ in range(self.random.randint(1, 5))]
        shape = self.random.choice([self.shape(), self.shape(), "(8,)", "(8,)", "(8, 8, 1)", "(4, 3)", "x.shape[1:]"])
        start = (
            f"Input({shape})"
            if self.chance(0.8)
            else f"keras.Input(shape={shape}{self.one(', batch_size=2|, dtype=' + repr('int32'))})"
        )
        how = self.one("list|add|functional|functional|lazy")
        if how in ("list", "lazy"):
            return [f"m = Sequential([{', '.join(parts if how == 'lazy' else [start, *parts])}])"]
        return self.added(start, parts) if how == "add" else self.functional(start, parts)

    def added(self, start: str, parts: list[str]) -> list[str]:
        lines = ["m = Sequential()", *[f"m.add({start})"] * self.chance(0.7)]
        for part in parts:
            if self.chance(0.1):
                lines += [f"if {self.one('units > 2|unknown(1)|True')}:", f"  m.add({part})"]
            elif self.chance(0.1):
                lines += ["for u in [2, 3]:", f"  m.add({part})"]
            else:
                lines += [f"m.add({part})"]
        return lines + [f"m.add({self.one('Input((3,))|5|Dense|None')})"] * self.chance(0.1)

    def functional(self, start: str, parts: list[str]) -> list[str]:
        lines = [f"i = {start}", "h = i"]
        names = ["i", "h"]
        for place, part in enumerate(parts):
            before = self.random.choice(names)
            if self.chance(0.25):
                lines.append(f"g{place} = {part}({before})")
                names.append(f"g{place}")
            elif self.chance(0.25):
                lines.append("h = " + self.one(MERGING).format(before, self.random.choice(names)))
            elif self.chance(0.1):
                lines += [f"d = {part}", f"h = d({before})", f"g = d({self.random.choice(names)})"]
            else:
                lines.append(f"h = {part}(h)")
        return [*lines, f"m = Model({self.one('i|i|[i]')}, {self.one('h|h|[h]|[h, h]|i')})"]

    def train(self) -> list[str]:
        metrics = self.one("|, metrics=['accuracy']|, metrics=['mae']|, metrics=['mse', 'mae']")
        lines = [
            f"m.compile({self.one(repr('adam') + '|' + repr('sgd') + '|keras.optimizers.Adam(0.01)')}, {self.one(LOSSES)}{metrics})"
        ]
        lines = lines if self.chance(0.9) else []
        for _ in range(self.random.randint(1, 3)):
            data, run = self.one(ARRAYS), self.one("fit|fit|evaluate|predict|predict|call")
            if run == "fit":
                lines.append(f"f = m.fit({data}, {self.one(TARGETS)}, verbose=0{self.one(FIT)})")
                lines += [
                    f"f.history[{self.one(repr('loss') + '|' + repr('acc') + '|' + repr('val_loss'))}]"
                ] * self.chance(0.3)
            elif run == "evaluate":
                lines.append(f"{self.one('e|e|loss, acc')} = m.evaluate({data}, {self.one(TARGETS)}, verbose=0)")
            elif run == "predict":
                lines.append(f"p = m.predict({data}, verbose=0{self.one('||, batch_size=3')})")
                lines += [self.one(RESULTS)] * self.chance(0.3)
            else:
                lines.append(f"q = m({data})")
        return lines


def program(seed: int, *, train: bool) -> tuple[str, str]:
    """Return the setup and the cell of a seed."""
    models = Models(seed)
    built = models.build()
    if not train:
        return SETUP, "\n".join(built)
    run = models.train()
    if models.chance(0.6):
        return SETUP, "\n".join([*built, *run])
    cut = models.random.randint(0, len(run) - 1)
    before = ["try:", *("  " + line for line in [*built, *run[:cut]]), FALLBACK]
    return SETUP + "\n".join(before) + "\n", "\n".join(run[cut:])
