"""The strategies for models: the original really raises, the patch that is found, of any cell, really runs."""

import pytest
from libraries import Oracle, found_for

TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nimport numpy as np\n"

# name: (executed cells, target, cell that is patched or None, its patched text)
LAYERS = {
    "features of a layer in the class of an earlier cell": (
        [
            TORCH,
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.head = nn.Sequential(nn.Linear(4 * 5, 7), nn.ReLU(), nn.Linear(7, 2))\n\n"
            "    def forward(self, x):\n        x = torch.flatten(x, 1)\n        return self.head(x)\n",
        ],
        "net = Net()\nout = net(torch.ones(2, 3, 4))",
        1,
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Sequential(nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 2))\n\n"
        "    def forward(self, x):\n        x = torch.flatten(x, 1)\n        return self.head(x)\n",
    ),
    "features of the second layer": (
        [TORCH],
        "net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(6, 2))\nout = net(torch.ones(3, 4))",
        None,
        "net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))\nout = net(torch.ones(3, 4))",
    ),
    "features by a name": (
        [TORCH, "hidden = 8"],
        "layer = nn.Linear(hidden * 2, 3)\nout = layer(torch.ones(2, 8))",
        None,
        "layer = nn.Linear(8, 3)\nout = layer(torch.ones(2, 8))",
    ),
    "a view and the layer behind it": (
        [
            TORCH,
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.head = nn.Linear(5 * 5, 2)\n\n"
            "    def forward(self, x):\n        x = x.view(-1, 5 * 5)\n        return self.head(x)\n",
        ],
        "out = Net()(torch.ones(2, 1, 4, 4))",
        1,
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Linear(16, 2)\n\n"
        "    def forward(self, x):\n        x = x.view(x.size(0), -1)\n        return self.head(x)\n",
    ),
    "channels of a convolution": (
        [TORCH, "net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())"],
        "out = net(torch.ones(2, 1, 8, 8))",
        1,
        "net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())",
    ),
    "channels that come last": (
        [TORCH, "net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())"],
        "images = torch.ones(2, 8, 8, 3)\nout = net(images)",
        None,
        "images = torch.ones(2, 8, 8, 3)\nout = net(images.permute(0, 3, 1, 2))",
    ),
    "series without a channel": (
        [TORCH, "net, x = nn.Conv1d(1, 4, 3), torch.ones(5, 9)"],
        "out = net(x)",
        None,
        "out = net(x.unsqueeze(1))",
    ),
    "an unsqueeze too much in a statement": (
        [TORCH, "net = nn.Conv2d(3, 4, 3)"],
        "def run(x):\n    x = x.unsqueeze(-1)\n    return net(x)\nout = run(torch.ones(2, 3, 8, 8))",
        None,
        "def run(x):\n    return net(x)\nout = run(torch.ones(2, 3, 8, 8))",
    ),
    "an unsqueeze too much in the call": (
        [TORCH, "net, x = nn.Conv2d(3, 4, 3), torch.ones(2, 3, 8, 8)"],
        "out = net(x.unsqueeze(0))",
        None,
        "out = net(x)",
    ),
    "clips of several images": (
        [TORCH, "net, x = nn.Conv2d(3, 4, 3), torch.ones(2, 5, 3, 8, 8)"],
        "out = net(x)",
        None,
        "out = net(x.flatten(0, 1))",
    ),
    "features of a recurrent layer": (
        [TORCH, "net = nn.LSTM(input_size=10, hidden_size=4, batch_first=True)"],
        "out, state = net(torch.ones(2, 5, 28))",
        1,
        "net = nn.LSTM(input_size=28, hidden_size=4, batch_first=True)",
    ),
    "features of a layer that normalises": (
        [TORCH, "net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(8))"],
        "out = net(torch.ones(2, 1, 8, 8))",
        1,
        "net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))",
    ),
    "one index more": (
        [TORCH, "words = ['a', 'b']\nnet = nn.Embedding(len(words), 3)"],
        "out = net(torch.tensor([1, 2]))",
        1,
        "words = ['a', 'b']\nnet = nn.Embedding(len(words) + 1, 3)",
    ),
}

_LOOP = "for step in range(3):\n{}    out, state = net(x, state)\n    loss = out.sum()\n    loss.backward()"
_GAN = """real, noise = torch.ones(4, 2), torch.ones(4, 3)
for step in range(2):
    fake = G(noise)
    loss_d = D(real).mean() - D({}).mean()
    loss_d.backward()
    loss_g = D(fake).mean()
    loss_g.backward()"""
_DATA = """from torch.utils.data import Dataset, DataLoader
class Rows(Dataset):
    def __len__(self):
        return 4
    def __getitem__(self, i):
        return [1] * (i + 1), i % 2
"""

TRAINING = {
    "a state of two tensors": (
        [TORCH, "net = nn.LSTM(2, 3)\nx = torch.ones(4, 1, 2)\nstate = (torch.zeros(1, 1, 3), torch.zeros(1, 1, 3))"],
        _LOOP.format(""),
        None,
        _LOOP.format("    state = tuple(each.detach() for each in state)\n"),
    ),
    "a state of one tensor": (
        [TORCH, "net = nn.GRU(2, 3)\nx = torch.ones(4, 1, 2)\nstate = torch.zeros(1, 1, 3)"],
        _LOOP.format(""),
        None,
        _LOOP.format("    state = state.detach()\n"),
    ),
    "two networks of which one feeds the other": (
        [TORCH, "G = nn.Linear(3, 2)\nD = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))"],
        _GAN.format("fake"),
        None,
        _GAN.format("fake.detach()"),
    ),
    "losses of each sample": (
        [TORCH, "w = torch.ones(3, requires_grad=True)"],
        "loss = (w * 2)\nloss.backward()",
        None,
        "loss = (w * 2)\nloss.mean().backward()",
    ),
    "classes from 1": (
        [TORCH, "net = nn.Linear(2, 3)\ny = torch.tensor([1, 2, 3])"],
        "loss = nn.CrossEntropyLoss()(net(torch.ones(3, 2)), y)",
        None,
        "loss = nn.CrossEntropyLoss()(net(torch.ones(3, 2)), y - 1)",
    ),
    "one class more": (
        [TORCH, "net = nn.Linear(2, 2)\ny = torch.tensor([0, 1, 2])"],
        "loss = nn.CrossEntropyLoss()(net(torch.ones(3, 2)), y)",
        1,
        "net = nn.Linear(2, 3)\ny = torch.tensor([0, 1, 2])",
    ),
    "logits": (
        [TORCH, "criterion = nn.BCELoss()"],
        "loss = criterion(torch.tensor([3.0]), torch.ones(1))",
        1,
        "criterion = nn.BCEWithLogitsLoss()",
    ),
    "what comes with the output": (
        [TORCH, "net, head = nn.LSTM(2, 3), nn.Linear(3, 1)\nx = torch.ones(4, 1, 2)"],
        "x = net(x)\nout = head(x)",
        None,
        "x = net(x)\nout = head(x[0])",
    ),
    "a method that is not called": (
        [TORCH, "class Words:\n    def size(self):\n        return 3\nwords = Words()"],
        "net = nn.Embedding(words.size, 2)",
        None,
        "net = nn.Embedding(words.size(), 2)",
    ),
    "the device in the place of the data": (
        [
            TORCH,
            "device = torch.device('cpu')\nnet = nn.Linear(2, 1)\n"
            "def train(loader):\n    for i, (x, y) in enumerate(loader):\n        out = net(device)\n    return out\n",
        ],
        "out = train([(torch.ones(3, 2), 0)])",
        1,
        "device = torch.device('cpu')\nnet = nn.Linear(2, 1)\n"
        "def train(loader):\n    for i, (x, y) in enumerate(loader):\n        out = net(x.to(device))\n    return out\n",
    ),
    "sequences of several lengths": (
        [TORCH, _DATA, "loader = DataLoader(Rows(), batch_size=2)"],
        "for x, y in loader:\n    print(x.shape)",
        2,
        "loader = DataLoader(Rows(), batch_size=2, collate_fn=lambda batch: "
        "(torch.nn.utils.rnn.pad_sequence([torch.as_tensor(each) for each, _ in batch], batch_first=True), "
        "torch.as_tensor([label for _, label in batch])))",
    ),
    "an array of objects": (
        [TORCH, "a = np.array([1.0, 2.0], dtype=object)"],
        "t = torch.from_numpy(a)",
        None,
        't = torch.from_numpy(a.astype("float32"))',
    ),
    "weights of a network in parallel": (
        [TORCH, "net = nn.Linear(2, 1)\nweights = {'module.' + k: v for k, v in net.state_dict().items()}"],
        "net.load_state_dict(weights)",
        None,
        'net.load_state_dict({key.removeprefix("module."): value for key, value in weights.items()})',
    ),
    "weights in a checkpoint": (
        [TORCH, "net = nn.Linear(2, 1)\nsaved = {'epoch': 3, 'model_state_dict': net.state_dict()}"],
        "net.load_state_dict(saved)",
        None,
        'net.load_state_dict(saved["model_state_dict"])',
    ),
    "a module that is not initialised": (
        [TORCH],
        "class Net(nn.Module):\n    def __init__(self):\n        self.head = nn.Linear(2, 1)\nnet = Net()",
        None,
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.head = nn.Linear(2, 1)\nnet = Net()",
    ),
}

LEARN = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OrdinalEncoder, StandardScaler
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn import metrics
X = pd.DataFrame({'a': [1.0, 2, 3, 4, 5, 6], 'b': [0.0, 1, 0, 1, 0, 1]})
y = pd.Series([0, 1, 0, 1, 0, 1])
X_train, y_train, X_test, y_test = X[:4].copy(), y[:4].copy(), X[4:].copy(), y[4:].copy()
"""
_CITIES = "X_train['city'], X_test['city'] = list('abab'), list('bc')"

SKLEARN = {
    "texts for trees": (
        [LEARN, _CITIES],
        "m = RandomForestClassifier(n_estimators=2)\nm.fit(X_train, y_train)\np = m.predict(X_test)",
        None,
        'm = RandomForestClassifier(n_estimators=2)\ntext_columns = ["city"]\n'
        'ordinal_encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)\n'
        "X_train[text_columns] = ordinal_encoder.fit_transform(X_train[text_columns])\n"
        "X_test[text_columns] = ordinal_encoder.transform(X_test[text_columns])\n"
        "m.fit(X_train, y_train)\np = m.predict(X_test)",
    ),
    "texts for a linear model": (
        [LEARN, _CITIES],
        "m = LogisticRegression()\nfor i in range(2):\n    m.fit(X_train, y_train)\np = m.predict(X_test)",
        None,
        "m = LogisticRegression()\nX_train = pd.get_dummies(X_train)\n"
        "X_test = pd.get_dummies(X_test).reindex(columns=X_train.columns, fill_value=0)\n"
        "for i in range(2):\n    m.fit(X_train, y_train)\np = m.predict(X_test)",
    ),
    "missing values in two splits": (
        [LEARN, "X_train.loc[0, 'a'] = np.nan\nm = LogisticRegression()"],
        "m.fit(X_train, y_train)\np = m.predict(X_test)",
        None,
        "X_test = X_test.fillna(X_train.mean(numeric_only=True))\n"
        "X_train = X_train.fillna(X_train.mean(numeric_only=True))\nm.fit(X_train, y_train)\np = m.predict(X_test)",
    ),
    "rows without a label": (
        [LEARN, "y = pd.Series([0, 1, None, 1, 0, 1])"],
        "A, B, c, d = train_test_split(X, y, shuffle=False)\nm = LogisticRegression().fit(A, c)",
        None,
        "X, y = X[y.notna()], y[y.notna()]\n"
        "A, B, c, d = train_test_split(X, y, shuffle=False)\nm = LogisticRegression().fit(A, c)",
    ),
    "rows without a label in a function of an earlier cell": (
        [
            LEARN,
            "y = pd.Series([0, 1, None, 1, 0, 1])",
            "def train():\n    A, B, c, d = train_test_split(X, y, shuffle=False)\n"
            "    return LogisticRegression().fit(A, c)",
        ],
        "m = train()",
        2,
        "def train():\n    A, B, c, d = train_test_split(X[y.notna()], y[y.notna()], shuffle=False)\n"
        "    return LogisticRegression().fit(A, c)",
    ),
    "rows without a label among folds in an earlier cell": (
        [
            LEARN,
            "from sklearn.model_selection import StratifiedKFold\ny = pd.Series([0, 1, None, 1, 0, 1])",
            "def train():\n    for i, (a, b) in enumerate(StratifiedKFold(2).split(X, y)):\n"
            "        m = LogisticRegression().fit(X.iloc[a], y.iloc[a])\n    return m",
        ],
        "m = train()",
        None,
        "X, y = X[y.notna()], y[y.notna()]\nm = train()",
    ),
    "images": (
        [LEARN, "images = np.arange(24.0).reshape(4, 3, 2)"],
        "m = LogisticRegression().fit(images, y_train)",
        None,
        "m = LogisticRegression().fit(images.reshape(len(images), -1), y_train)",
    ),
    "missing texts": (
        [
            LEARN,
            "from sklearn.feature_extraction.text import TfidfVectorizer\n"
            "t = pd.Series(['a b', np.nan, 'bb cc'], dtype=object)",
        ],
        "m = TfidfVectorizer().fit_transform(t)",
        None,
        'm = TfidfVectorizer().fit_transform(t.fillna(""))',
    ),
    "labels that are scaled": (
        [LEARN, "y_train = pd.Series(['No', 'Yes', 'No', 'Yes'])\ny_test = pd.Series(['No', 'Yes'])"],
        "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\ny_train = scaler.fit_transform(y_train)\n"
        "y_test = scaler.transform(y_test)\nm = LogisticRegression().fit(X_train, y_train)",
        None,
        "scaler = StandardScaler()\nX_train = scaler.fit_transform(X_train)\nlabel_encoder = LabelEncoder()\n"
        "y_train = label_encoder.fit_transform(y_train)\n"
        "y_test = label_encoder.transform(y_test)\nm = LogisticRegression().fit(X_train, y_train)",
    ),
    "labels that the encoder has not seen": (
        [LEARN, "train, test = pd.DataFrame({'c': ['a', 'b']}), pd.DataFrame({'c': ['b', 'c']})"],
        "le = LabelEncoder()\ntrain['c'] = le.fit_transform(train['c'])\ntest['c'] = le.transform(test['c'])",
        None,
        "le = LabelEncoder()\ntrain['c'] = le.fit(pd.concat([train['c'], test['c']])).transform(train['c'])\n"
        "test['c'] = le.transform(test['c'])",
    ),
    "a regressor for classes": (
        [
            LEARN,
            "model = LinearRegression()\nfinal = Pipeline([('m', model)])",
            "final.fit(X, y)\npreds = final.predict(X[['a', 'b']] + 0.4)",
        ],
        "s = metrics.accuracy_score(y, preds)",
        1,
        "model = LogisticRegression()\nfinal = Pipeline([('m', model)])",
    ),
    "a classifier for numbers": (
        [LEARN, "y_train = y_train * 1.5 + 0.2\nm = RandomForestClassifier(n_estimators=2)"],
        "m.fit(X_train, y_train)",
        1,
        "y_train = y_train * 1.5 + 0.2\nm = RandomForestRegressor(n_estimators=2)",
    ),
    "a split in another order": (
        [LEARN, "X_train, y_train, X_test, y_test = train_test_split(X, y, test_size=0.4, random_state=0)"],
        "m = LogisticRegression().fit(X_train, y_train)",
        1,
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)",
    ),
    "a keyword behind the wrong parenthesis": (
        [LEARN],
        "p = np.array(np.sort([3, 1]), axis=0)",
        None,
        "p = np.array(np.sort([3, 1], axis=0))",
    ),
    "a label that is positive": (
        [LEARN],
        "s = metrics.f1_score(['No', 'Yes'], ['No', 'Yes'])",
        None,
        "s = metrics.f1_score(['No', 'Yes'], ['No', 'Yes'], pos_label=\"Yes\")",
    ),
    "classes one by one": (
        [LEARN, "p = np.array([[0.2, 0.3, 0.5], [0.4, 0.3, 0.3], [0.1, 0.8, 0.1]])"],
        "s = metrics.roc_auc_score([2, 0, 1], p)",
        None,
        's = metrics.roc_auc_score([2, 0, 1], p, multi_class="ovr")',
    ),
    "probabilities of two classes": (
        [LEARN, "p = np.array([[0.2, 0.8], [0.6, 0.4]])"],
        "s = metrics.roc_auc_score([1, 0], p)",
        None,
        "s = metrics.roc_auc_score([1, 0], p[:, 1])",
    ),
    "labels that are one-hot": (
        [LEARN, "Y = np.eye(2)[y_train]"],
        "m = LogisticRegression().fit(X_train, Y)",
        None,
        "m = LogisticRegression().fit(X_train, Y.argmax(axis=1))",
    ),
    "a solver without the penalty": (
        [LEARN],
        "m = LogisticRegression(solver='liblinear', penalty='elasticnet')\nm.fit(X_train, y_train)",
        None,
        "m = LogisticRegression(solver=\"saga\", penalty='elasticnet', l1_ratio=0.5)\nm.fit(X_train, y_train)",
    ),
    "the solver by default": (
        [LEARN, "m = LogisticRegression(penalty='l1')"],
        "m.fit(X_train, y_train)",
        1,
        "m = LogisticRegression(penalty='l1', solver=\"liblinear\")",
    ),
    "negative values": (
        [LEARN, "from sklearn.naive_bayes import MultinomialNB\nscaled = StandardScaler().fit_transform(X_train)"],
        "m = MultinomialNB().fit(scaled, y_train)",
        1,
        "from sklearn.preprocessing import MinMaxScaler\nfrom sklearn.naive_bayes import MultinomialNB\n"
        "scaled = MinMaxScaler().fit_transform(X_train)",
    ),
    "parameters of a step": (
        [LEARN, "pipe = Pipeline([('scale', StandardScaler()), ('clf', LogisticRegression())])\ngrid = {'C': [1, 2]}"],
        "s = GridSearchCV(pipe, grid, cv=2).fit(X, y)",
        1,
        "pipe = Pipeline([('scale', StandardScaler()), ('clf', LogisticRegression())])\ngrid = {'clf__C': [1, 2]}",
    ),
    "parameters of no step": (
        [LEARN],
        "s = GridSearchCV(LogisticRegression(), {'clf__C': [1, 2]}, cv=2).fit(X, y)",
        None,
        "s = GridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=2).fit(X, y)",
    ),
    "a misspelt parameter": (
        [LEARN],
        "s = GridSearchCV(RandomForestClassifier(), {'n_estimator': [2]}, cv=2).fit(X, y)",
        None,
        "s = GridSearchCV(RandomForestClassifier(), {'n_estimators': [2]}, cv=2).fit(X, y)",
    ),
    "an error as a score": (
        [LEARN],
        "s = GridSearchCV(LinearRegression(), {}, cv=2, scoring='mean_squared_error').fit(X, y)",
        None,
        "s = GridSearchCV(LinearRegression(), {}, cv=2, scoring='neg_mean_squared_error').fit(X, y)",
    ),
}

KERAS = """import numpy as np
import keras
from keras import layers
def compiled(model, loss='mse'):
    model.compile(optimizer='adam', loss=loss)
    return model
X, images = np.ones((8, 4), dtype='float32'), np.ones((8, 8, 8, 1), dtype='float32')
y = np.arange(8) % 3
one_hot = keras.utils.to_categorical(y, 3)
"""
_FIT = "h = model.fit(X, {}, verbose=0)"


def _dense(units, activation="softmax", loss=""):
    text = f"model = keras.Sequential([keras.Input((4,)), layers.Dense({units}, activation='{activation}')])"
    return f"{text}\nmodel.compile(optimizer='adam', loss='{loss}')"


NETWORKS = {
    "the shape of images": (
        [
            KERAS,
            "size = 9",
            "model = compiled(keras.Sequential([layers.Conv2D(2, 3, input_shape=(size, size, 1)), layers.Flatten(), layers.Dense(3)]))",
        ],
        "h = model.fit(images, one_hot, verbose=0)",
        2,
        "model = compiled(keras.Sequential([layers.Conv2D(2, 3, input_shape=(8, 8, 1)), layers.Flatten(), layers.Dense(3)]))",
    ),
    "the channels of images": (
        [
            KERAS,
            "size = 8\ninputs = keras.Input(shape=(size, size, 3))",
            "model = compiled(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(inputs)))))",
        ],
        "h = model.fit(images, one_hot, verbose=0)",
        1,
        "size = 8\ninputs = keras.Input(shape=(size, size, 1))",
    ),
    "the number of features": (
        [KERAS, "inputs = keras.Input(shape=(7,))\nmodel = compiled(keras.Model(inputs, layers.Dense(3)(inputs)))"],
        _FIT.format("one_hot"),
        1,
        "inputs = keras.Input(shape=(4,))\nmodel = compiled(keras.Model(inputs, layers.Dense(3)(inputs)))",
    ),
    "a channel of images": (
        [
            KERAS,
            "model = compiled(keras.Sequential([layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)]))\nx = images[..., 0]",
        ],
        "h = model.fit(x, one_hot, validation_data=(x, one_hot), verbose=0)",
        None,
        "h = model.fit(np.expand_dims(x, axis=-1), one_hot, validation_data=(np.expand_dims(x, axis=-1), one_hot), verbose=0)",
    ),
    "a channel of the input": (
        [KERAS],
        "model = keras.Sequential([keras.Input((8, 8)), layers.Conv2D(2, 3)])",
        None,
        "model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3)])",
    ),
    "a dimension of one": (
        [
            KERAS,
            "model = compiled(keras.Sequential([keras.Input((5, 4)), layers.LSTM(3)]))\nx = np.ones((8, 1, 5, 4))",
        ],
        "h = model.fit(x, one_hot, verbose=0)",
        None,
        "h = model.fit(np.squeeze(x, axis=1), one_hot, verbose=0)",
    ),
    "a dimension of one that the input is declared with": (
        [KERAS, "x = np.ones((8, 1, 5, 4))"],
        "x = x / 2\nmodel = compiled(keras.Sequential([layers.LSTM(3, input_shape=(x.shape[1], x.shape[2]))]))\n"
        "h = model.fit(x, one_hot, verbose=0)",
        None,
        "x = np.squeeze(x, axis=1)\nx = x / 2\n"
        "model = compiled(keras.Sequential([layers.LSTM(3, input_shape=(x.shape[1], x.shape[2]))]))\n"
        "h = model.fit(x, one_hot, verbose=0)",
    ),
    "one image": (
        [KERAS, "model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten()])"],
        "p = model.predict(images[0], verbose=0)",
        None,
        "p = model.predict(np.expand_dims(images[0], axis=0), verbose=0)",
    ),
    "two recurrent layers": (
        [KERAS],
        "model = keras.Sequential()\nmodel.add(keras.Input((5, 4)))\nmodel.add(layers.LSTM(3))\nmodel.add(layers.LSTM(2))",
        None,
        "model = keras.Sequential()\nmodel.add(keras.Input((5, 4)))\nmodel.add(layers.LSTM(3, return_sequences=True))\n"
        "model.add(layers.LSTM(2))",
    ),
    "whole numbers as labels": (
        [KERAS, _dense(3, loss="categorical_crossentropy")],
        _FIT.format("y"),
        1,
        _dense(3, loss="sparse_categorical_crossentropy"),
    ),
    "one-hot labels": (
        [KERAS, _dense(3, loss="sparse_categorical_crossentropy")],
        _FIT.format("one_hot"),
        1,
        _dense(3, loss="categorical_crossentropy"),
    ),
    "as many outputs as classes": (
        [KERAS, _dense(5, loss="categorical_crossentropy")],
        _FIT.format("one_hot"),
        1,
        _dense(3, loss="categorical_crossentropy"),
    ),
    "one output for several classes": (
        [KERAS, _dense(1, "sigmoid", "binary_crossentropy")],
        _FIT.format("one_hot"),
        1,
        _dense(3, loss="categorical_crossentropy").replace("'softmax'", '"softmax"'),
    ),
    "a label too many": (
        [KERAS, _dense(2, loss="sparse_categorical_crossentropy")],
        _FIT.format("y"),
        1,
        _dense(3, loss="sparse_categorical_crossentropy"),
    ),
    "an output a step": (
        [
            KERAS,
            "model = keras.Sequential([keras.Input((5, 4)), layers.Dense(2), layers.Dense(3)])\n"
            "model.compile('adam', 'categorical_crossentropy')",
        ],
        "h = model.fit(np.ones((8, 5, 4)), one_hot, verbose=0)",
        1,
        "model = keras.Sequential([keras.Input((5, 4)), layers.Dense(2), layers.Flatten(), layers.Dense(3)])\n"
        "model.compile('adam', 'categorical_crossentropy')",
    ),
    "labels from 1": (
        [KERAS],
        "c = keras.utils.to_categorical(y + 1, num_classes=3)",
        None,
        "c = keras.utils.to_categorical(y + 1, num_classes=4)",
    ),
    "one index more": (
        [
            KERAS,
            "words = 3\nmodel = compiled(keras.Sequential([layers.Embedding(words, 2), layers.Flatten(), layers.Dense(3)]))",
        ],
        "h = model.fit(y + 1, one_hot, verbose=0)",
        1,
        "words = 3\nmodel = compiled(keras.Sequential([layers.Embedding(words + 1, 2), layers.Flatten(), layers.Dense(3)]))",
    ),
    "lists": (
        [KERAS, "model = compiled(keras.Sequential([layers.Dense(3)]))\nrows = X.tolist()"],
        "h = model.fit(rows, one_hot, verbose=0)",
        None,
        "h = model.fit(np.array(rows), one_hot, verbose=0)",
    ),
    "objects": (
        [KERAS, "model = compiled(keras.Sequential([layers.Dense(3)]))\nrows = X.astype(object)"],
        "h = model.fit(rows, one_hot, verbose=0)",
        None,
        'h = model.fit(rows.astype("float32"), one_hot, verbose=0)',
    ),
    "a model that is not compiled": (
        [KERAS, _dense(3, loss="categorical_crossentropy"), "other = keras.Sequential([layers.Dense(3)])"],
        "h = other.fit(X, one_hot, verbose=0)",
        None,
        "other.compile(optimizer='adam', loss='categorical_crossentropy')\nh = other.fit(X, one_hot, verbose=0)",
    ),
    "weights of classes": (
        [KERAS, "model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])\nw = {0: 1.0, 1: 2.0, 2: 1.0}"],
        "model.compile(optimizer='adam', loss='categorical_crossentropy', class_weight=w)\n"
        "h = model.fit(X, one_hot, verbose=0)",
        None,
        "model.compile(optimizer='adam', loss='categorical_crossentropy')\n"
        "h = model.fit(X, one_hot, verbose=0, class_weight=w)",
    ),
    "the ending of a file": (
        [KERAS],
        "c = keras.callbacks.ModelCheckpoint('best.h5', save_weights_only=True)",
        None,
        "c = keras.callbacks.ModelCheckpoint('best.weights.h5', save_weights_only=True)",
    ),
    "inputs and outputs": (
        [KERAS, "a = keras.Input((4,))\nb = layers.Dense(2)(a)"],
        "model = keras.Model(input=a, output=b)",
        None,
        "model = keras.Model(inputs=a, outputs=b)",
    ),
    "the shape of a batch": (
        [KERAS, "model = keras.Sequential()"],
        "model.add(layers.LSTM(5, batch_input_shape=(2, 3, 4), stateful=True))",
        None,
        "model.add(layers.Input(batch_shape=(2, 3, 4)))\nmodel.add(layers.LSTM(5, stateful=True))",
    ),
    "inputs that are joined": (
        [KERAS, "a, b = keras.Input((4,)), keras.Input((4,))"],
        "c = layers.concatenate(a, b)",
        None,
        "c = layers.concatenate([a, b])",
    ),
    "half a step": (
        [KERAS, "model = compiled(keras.Sequential([layers.Dense(3)]))"],
        "h = model.fit(X, one_hot, verbose=0, steps_per_epoch=len(X) / 4)",
        None,
        "h = model.fit(X, one_hot, verbose=0, steps_per_epoch=len(X) // 4)",
    ),
    "a loss that is misspelt": (
        [KERAS, _dense(3, loss="categorical_cross_entropy")],
        _FIT.format("one_hot"),
        1,
        _dense(3, loss="categorical_crossentropy"),
    ),
    "one sequence": (
        [KERAS],
        "s = keras.utils.pad_sequences([1, 2, 3], maxlen=5)",
        None,
        "s = keras.utils.pad_sequences([[1, 2, 3]], maxlen=5)",
    ),
    "an operation of TensorFlow": (
        [KERAS, "import tensorflow as tf\na = keras.Input((4,))"],
        "b = tf.reduce_mean(a, axis=1)",
        None,
        "b = keras.ops.mean(a, axis=1)",
    ),
}

BOOSTING = {
    "lightgbm: early stopping": (
        [LEARN, "import lightgbm as lgb\nm = lgb.LGBMClassifier(n_estimators=3, verbose=-1)"],
        "m.fit(X, y, eval_set=[(X, y)], early_stopping_rounds=2, verbose=0)",
        None,
        "m.fit(X, y, eval_set=[(X, y)], callbacks=[lgb.early_stopping(2)])",
    ),
    "lightgbm: names of features": (
        [LEARN, "import lightgbm as lgb\nX_train = X_train.rename(columns={'a': 'a:b'})"],
        "m = lgb.LGBMClassifier(n_estimators=3, verbose=-1)\nm.fit(X_train, y_train)",
        None,
        "import re\nm = lgb.LGBMClassifier(n_estimators=3, verbose=-1)\n"
        'X_train = X_train.rename(columns=lambda name: re.sub(r"\\W+", "_", str(name)))\nm.fit(X_train, y_train)',
    ),
    "xgboost: classes from 1": (
        [LEARN, "from xgboost import XGBClassifier\ny_train, y_test = y_train + 1, y_test + 1"],
        "m = XGBClassifier(n_estimators=2)\nm.fit(X_train, y_train)\ns = m.score(X_test, y_test)",
        None,
        "m = XGBClassifier(n_estimators=2)\nlabel_encoder = LabelEncoder()\n"
        "y_train = label_encoder.fit_transform(y_train)\ny_test = label_encoder.transform(y_test)\n"
        "m.fit(X_train, y_train)\ns = m.score(X_test, y_test)",
    ),
    "xgboost: texts": (
        [LEARN, _CITIES, "from xgboost import XGBClassifier\nm = XGBClassifier(n_estimators=2)"],
        "m.fit(X_train, y_train)",
        None,
        'text_columns = ["city"]\n'
        'ordinal_encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)\n'
        "X_train[text_columns] = ordinal_encoder.fit_transform(X_train[text_columns])\nm.fit(X_train, y_train)",
    ),
}

TABLES = {"layers": LAYERS, "training": TRAINING, "sklearn": SKLEARN, "keras": NETWORKS, "boosting": BOOSTING}
ROWS = {f"{table}: {name}": row for table, rows in TABLES.items() for name, row in rows.items()}


@pytest.mark.parametrize("name", ROWS)
def test_the_original_raises_and_the_first_patch_that_runs_is_the_right_one(name):
    for table, library in (("keras", "tensorflow"), ("boosting: l", "lightgbm"), ("boosting: x", "xgboost")):
        if name.startswith(table):
            pytest.importorskip(library)
    executed, source, cell, expected = ROWS[name]
    found, told = found_for(Oracle(source, *executed))
    assert found is not None, told
    assert (found.cell, found.source) == (cell, expected), told
