"""Keras cells, each really run where Keras is installed: what is found, what is left alone.

CRASHES: setup, cell, the type raised, the line. WORKS: setup, cell. SETUP comes before each setup. Words of a message
that the checker cannot know (the name that a layer gets, a printed tensor) are `…` in it.
"""

SETUP = """
import warnings; warnings.simplefilter("ignore")
import numpy as np, keras
from keras import layers, Sequential, Model, Input
from keras.models import Sequential as Seq
from keras.layers import Dense, Conv2D, MaxPooling2D, Flatten, Dropout, LSTM, Embedding, Concatenate
x = np.zeros((20, 8), "float32"); y = np.arange(20) % 3; onehot = np.eye(3)[y]; images = np.zeros((10, 8, 8, 1))
def net(*parts, loss="mse", metrics=None):
    model = Sequential([Input((8,)), *parts])
    model.compile("adam", loss, metrics=metrics)
    return model
"""
MODEL = (
    "model = net(Dense(4, activation='relu'), Dense(3, activation='softmax'), loss='sparse_categorical_crossentropy')"
)

CRASHES: list[tuple[str, str, str, int]] = [
    ("", "m = Sequential([\n  Input((4, 4)),\n  Conv2D(8, 3)])", "ValueError", 1),
    ("", "m = Sequential()\nm.add(Conv2D(8, 3, input_shape=(28, 28)))\nm.add(Flatten())", "ValueError", 2),
    ("", "m = Sequential()\nm.add(LSTM(8, input_shape=(5, 3)))\nm.add(LSTM(4))\nm.add(Dense(1))", "ValueError", 3),
    ("", "m = Sequential([Input((4, 3)), layers.GRU(8), layers.GRU(4)])", "ValueError", 1),
    ("", "m = Sequential([Input((10,)), layers.Reshape((3, 4))])", "ValueError", 1),
    ("", "m = Sequential([Input((10, 10, 1)), Flatten(), Conv2D(3, 2)])", "ValueError", 1),
    ("", "m = Sequential()\nm.add(Input((12, 12, 3)))\nfor f in [8, 16, 32, 64]:\n  m.add(Conv2D(f, 5))", "ValueError", 4),
    ("", "i = Input((8,))\nx1 = Dense(3)(i)\nx2 = Conv2D(3, 3)(x1)", "ValueError", 3),
    ("", "a, b = Input((3, 4)), Input((4, 4))\nConcatenate()([a, b])", "ValueError", 2),
    ("", "layers.concatenate([Input((3, 4)), Input((3, 5))], axis=1)", "ValueError", 1),
    ("", "layers.Add()([Input((3,)), Input((4,))])", "ValueError", 1),
    ("", "layers.add([Input((3,)), Input((4,))])", "ValueError", 1),
    ("", "layers.Multiply()(Input((3,)))", "ValueError", 1),
    ("", "layers.Dot(1)([Input((3,)), Input((4,))])", "ValueError", 1),
    ("", "layers.TimeDistributed(Dense(3))(Input((4,)))", "ValueError", 1),
    ("", "layers.RepeatVector(3)(Input((4, 5)))", "ValueError", 1),
    ("", "layers.Permute((2, 1))(Input((4, 5, 6)))", "ValueError", 1),
    ("", "layers.UpSampling2D()(Input((4, 5)))", "ValueError", 1),
    ("", "layers.GlobalAveragePooling2D()(Input((4, 5)))", "ValueError", 1),
    ("", "layers.Bidirectional(LSTM(3))(Input((4,)))", "ValueError", 1),
    ("", "h = layers.Bidirectional(LSTM(3))(Input((4, 2)))\nlayers.Bidirectional(LSTM(3))(h)", "ValueError", 2),
    ("", "d = Dense(3)\nd(Input((4,)))\nd(Input((5,)))", "ValueError", 3),
    ("d = Dense(3); d(np.zeros((2, 4)))", "d(Input((5,)))", "ValueError", 1),
    ("d = Dense(3); d(np.zeros((2, 4)))", "d(np.zeros((2, 5)))", "ValueError", 1),
    ("b = layers.BatchNormalization(); b(np.zeros((2, 4)))", "b(np.zeros((2, 5)))", "ValueError", 1),
    ("", "Sequential([Input((4,)), Input((4,))])", "ValueError", 1),
    ("m = Sequential([Input((4,)), Dense(2)])", "m.add(Input((4,)))", "ValueError", 1),
    ("", "Sequential([Input((4,)), 5])", "ValueError", 1),
    ("", "m = Sequential()\nm.add('relu')", "ValueError", 2),
    ("", "m = Sequential()\nm.add(Dense)", "ValueError", 2),
    ("", "Sequential([Dense(3, name='a'), Dense(3, name='a')])", "ValueError", 1),
    ("", "Sequential(Dense(3))", "TypeError", 1),
    ("", "Dense(3, foo=1)", "ValueError", 1),
    ("", "Dense(output_dim=3)", "TypeError", 1),
    ("", "Conv2D(32, 3, border_mode='same')", "ValueError", 1),
    ("", "LSTM(3, return_sequence=True)", "ValueError", 1),
    ("", "Dense(3, activation='rellu')", "ValueError", 1),
    ("", "layers.Activation('softmx')", "ValueError", 1),
    ("", "LSTM(3, activation='tanhh')", "ValueError", 1),
    ("", "Conv2D(0, 3)", "ValueError", 1),
    ("", "Conv2D(3, 3, padding='smae')", "ValueError", 1),
    ("", "Conv2D(3, (3, 3, 3))", "ValueError", 1),
    ("", "MaxPooling2D(pool_size=(2, 2, 2))", "ValueError", 1),
    ("", "Dropout(1.5)", "ValueError", 1),
    ("", "layers.BatchNormalization(mode=2)", "ValueError", 1),
    ("", "layers.Bidirectional(3)", "ValueError", 1),
    ("", "Input(10)", "ValueError", 1),
    ("", "Input(('a',))", "ValueError", 1),
    ("", "Input()", "ValueError", 1),
    ("", "Dense(3)(5)", "ValueError", 1),
    ("", "keras.optimizers.Adam(lr=0.1)", "ValueError", 1),
    ("", "opt = keras.optimizers.SGD(learning_rate=0.1, foo=3)", "ValueError", 1),
    ("", "keras.callbacks.EarlyStopping(monitor='val_loss', pacience=3)", "TypeError", 1),
    ("", "i = Input((3,))\nModel(input=i, output=Dense(1)(i))", "ValueError", 2),
    ("", "i = Input((3,))\nModel(inputs=i, outputs=Dense(1))", "ValueError", 2),
    ("", "i = Input((3,))\nModel(inputs=i, outputs=[5])", "ValueError", 2),
    ("", "m = Sequential([Dense(1)])\nm.compile('adamm', 'mse')", "ValueError", 2),
    ("", "m = Sequential([Dense(1)])\nm.compile('adam', 'mse', metrics='acc')", "ValueError", 2),
    ("", "m = Sequential([Dense(1)])\nm.compile('adam', 'mse', metric=['acc'])", "TypeError", 2),
    ("", "m = Sequential([Input((8,)), Dense(1)])\nm.fit(x, y)", "ValueError", 2),
    ("m = Sequential([Input((8,)), Dense(1)])", "m.fit(x, y, verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x, y[:5], verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x, y[:5], verbose=0, validation_split=0.2)", "ValueError", 1),
    (MODEL, "model.evaluate(x, y[:5], verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x, y, nb_epoch=3)", "TypeError", 1),
    (MODEL, "model.fit(x, y, epoch=3)", "TypeError", 1),
    (MODEL, "model.predict()", "TypeError", 1),
    (MODEL, "model.predict_classes(x)", "AttributeError", 1),
    (MODEL, "model.fit_generator(x)", "AttributeError", 1),
    ("", "m = Sequential([Dense(1)])\nm.predict_classes(x)", "AttributeError", 2),
    (MODEL, "model.fit(x[:, :7], y, verbose=0)", "ValueError", 1),
    (MODEL, "model.evaluate(x[:, :7], y, verbose=0)", "ValueError", 1),
    (MODEL, "model.predict(x[:, :7], verbose=0)", "ValueError", 1),
    (MODEL, "model.predict(x[0], verbose=0)", "ValueError", 1),
    (MODEL, "model.predict(images, verbose=0)", "ValueError", 1),
    (MODEL, "model(x[:, :7])", "ValueError", 1),
    (MODEL, "model(images)", "ValueError", 1),
    (MODEL, "model.fit([[1.0, 2.0], [3.0, 4.0]], [0, 1], verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x, onehot, verbose=0)", "ValueError", 1),
    (MODEL, "model.evaluate(x, onehot, verbose=0)", "ValueError", 1),
    ("i = Input((7,)); model = Model(i, Dense(1)(i)); model.compile('sgd', 'mse')", "model.fit(x, y, verbose=0)", "ValueError", 1),
    ("i = Input((7,)); model = Model(i, Dense(1)(i))", "model.predict(x, verbose=0)", "ValueError", 1),
    ("i = Input((7,)); model = Model(i, Dense(1)(i))", "model(x)", "ValueError", 1),
    ("i = Input((7,)); model = Model(i, Dense(1)(i))", "model.predict(images, verbose=0)", "ValueError", 1),
    ("i = [Input((8,)), Input((2,))]; model = Model(i, Concatenate()(i))", "model.predict(x, verbose=0)", "ValueError", 1),
    ("", "i = Input((7,))\nm = Model(i, Dense(1)(i))\nm.compile('adam', 'mse')\nm.fit(x, y, verbose=0)", "ValueError", 4),
    ("", "m = Sequential([Conv2D(3, 3), Flatten(), Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, verbose=0)", "ValueError", 3),
    (
        "",
        "m = Sequential([Input((8,)), Dense(3, activation='softmax')])\nm.compile('adam', 'categorical_crossentropy')\n"
        "m.fit(x, y, verbose=0)",
        "ValueError",
        3,
    ),
    (
        "",
        "m = Sequential()\nm.add(Dense(3, activation='softmax'))\n"
        "m.compile('adam', keras.losses.CategoricalCrossentropy())\nm.fit(x, y.reshape(-1, 1), verbose=0)",
        "ValueError",
        4,
    ),
    ("model = net(Dense(1, activation='sigmoid'), loss='binary_crossentropy')", "model.fit(x, onehot, verbose=0)", "ValueError", 1),
    ("model = net(Dense(2), loss='binary_crossentropy')", "model.fit(x, y, verbose=0)", "ValueError", 1),
    ("model = net(Dense(2), loss='mean_sqared_error')", "model.fit(x, y, verbose=0)", "ValueError", 1),
    (
        "",
        "m = Sequential([Input((8,)), Dense(3)])\nm.compile('adam', 'sparse_categorical_crossentropy', "
        "metrics=['accuracy'])\nh = m.fit(x, y, verbose=0)\nh.history['acc']",
        "KeyError",
        4,
    ),
    (
        "",
        "m = Sequential([Input((8,)), Dense(3)])\nm.compile('adam', 'sparse_categorical_crossentropy', "
        "metrics=['accuracy'])\nh = m.fit(x, y, verbose=0, epochs=2)\nacc = h.history['accuracy']\nh.history['val_loss']",
        "KeyError",
        5,
    ),
    ("model = net(Dense(1)); h = model.fit(x, y, verbose=0)", "h.history['val_loss']", "KeyError", 1),
    ("", "m = Sequential([Input((8,)), Dense(1)])\nm.compile('adam', 'mse')\nloss, acc = m.evaluate(x, y, verbose=0)", "TypeError", 3),
    (MODEL + "; bad = x.astype(object)", "model.fit(bad, y, verbose=0)", "ValueError", 1),
    (MODEL + "; bad = y.astype(object)", "model.fit(x, bad, verbose=0)", "ValueError", 1),
    (MODEL + "; bad = x.astype(object)", "model.predict(bad, verbose=0)", "ValueError", 1),
    (MODEL, "model.predict([[1.0, 2.0], [3.0, 4.0]], verbose=0)", "ValueError", 1),
    (MODEL, "model.predict(['a', 'b'], verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x[:2], [0, 1], verbose=0)", "ValueError", 1),
    (MODEL, "model.fit(x[:2], [0, 1], verbose=0, validation_split=0.5)", "ValueError", 1),
    (MODEL, "model.evaluate(x[:2], (0, 1), verbose=0)", "ValueError", 1),
    ("i = Input((8,)); model = Model(i, Dense(1)(i)); model.compile('sgd', 'mse')", "model.fit(x[:2], [0, 1], verbose=0)", "ValueError", 1),
    ("", "keras.utils.to_categorical(y, 2)", "IndexError", 1),
    ("", "c = keras.utils.to_categorical(y)\nc[:, 3]", "IndexError", 2),
    ("", "keras.utils.pad_sequences([1, 2])", "ValueError", 1),
    ("", "p = keras.utils.pad_sequences([[1, 2], [3]], maxlen=4)\np[0, 4]", "IndexError", 2),
    ("", "c = keras.utils.to_categorical(y)\nm = Sequential([Input((8,)), Dense(4, activation='softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, c, verbose=0)", "ValueError", 4),
]  # fmt: skip

WORKS: list[tuple[str, str]] = [
    ("", "m = Sequential([Input((28, 28, 1)), Conv2D(8, 3), MaxPooling2D(), Flatten(), Dropout(0.5), Dense(10)])\nm.summary()"),
    ("", "m = Seq()\nm.add(LSTM(8, input_shape=(5, 3), return_sequences=True))\nm.add(LSTM(4))\nm.add(Dense(1))"),
    ("", "m = Sequential([Input((12,)), layers.Reshape((3, 4)), layers.Reshape((2, -1)), Flatten(), Dense(2)])"),
    ("", "m = Sequential([Input((None, None, 3)), Conv2D(8, 3), layers.GlobalAveragePooling2D(), Dense(2)])"),
    ("", "i = Input((None,))\nh = Embedding(10, 4)(i)\nh = layers.Bidirectional(LSTM(3, return_sequences=True))(h)\nh = layers.TimeDistributed(Dense(2))(h)\nm = Model(i, h)"),
    ("", "a, b = Input((3, 4)), Input((3, 5))\nc = Concatenate()([a, b])\nd = layers.Add()([Dense(2)(a), Dense(2)(b)])\nModel([a, b], [c, d])"),
    ("", "m = Sequential([Dense(3), Dense(4)])\nm.build((None, 5))\nm.compile('adam', 'mse')"),
    ("", "m = Sequential([Dense(3, name='a'), Dense(3, name='b')])\nm.add(Dense(2))\nm.pop()"),
    ("", "Dense(3, kernel_initializer='he_normal', kernel_regularizer=keras.regularizers.l2(0.1), name='q', dtype='float32')"),
    ("", "Embedding(10, 4, input_length=5)"),
    ("", "keras.optimizers.Adam(learning_rate=0.1, decay=1e-6, clipnorm=1.0)"),
    ("", "m = Sequential([Input((8,)), Dense(3, activation='softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, verbose=0, epochs=2, validation_split=0.2)\nh.history['val_accuracy'][1]\np = m.predict(x, verbose=0)\np.shape[1]\nq = m.evaluate(x, y, verbose=0)\nloss, acc = q"),
    ("", "m = Sequential([Input((8,)), Dense(3, activation='softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, onehot, verbose=0)"),
    ("", "m = Sequential([Dense(1, activation='sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, (y > 0).reshape(-1, 1), verbose=0)\nm.predict(x[:3], verbose=0)"),
    (MODEL, "model.fit(x, y.reshape(-1, 1), verbose=0)\nmodel.evaluate(x, y, verbose=0)"),
    (MODEL, "model.predict(x[:, :, None], verbose=0)"),
    (MODEL, "model.predict([x, x], verbose=0) if keras.backend.backend() == 'no' else 0"),
    ("model = Sequential([Input((8, 1)), Flatten(), Dense(2)])", "model.predict(x, verbose=0)"),
    ("i = Input((8, 1)); model = Model(i, Dense(2)(i))", "model.predict(x, verbose=0).shape"),
    ("class Own(layers.Layer):\n  def call(self, x): return x[:, :3]", "m = Sequential([Input((8,)), Own(), Dense(2)])\nm.predict(x, verbose=0)\nm.compile('adam', 'mse')\nm.fit(x, onehot[:, :2], verbose=0)"),
    ("class Own(Model):\n  def call(self, x): return x[:, :3]", "m = Own()\nm.compile('adam', 'mse')\nm.evaluate(x, onehot, verbose=0)"),
    ("d = Dense(3)", "d(x)\nd(x[:4])\nd(Input((8,)))"),
    ("d = Dense(3); d(x)", "try:\n  d(x[:, :3])\nexcept ValueError:\n  pass\nd(x)"),
    ("", "for units in [2, 4]:\n  m = Sequential([Input((8,))])\n  m.add(Dense(units))\n  m.compile('adam', 'mse')\n  m.predict(x, verbose=0)"),
    ("", "f = 3\nm = Sequential([Input((8,))])\nif f > 2:\n  m.add(layers.Reshape((8, 1)))\nelse:\n  m.add(Dense(2))\nm.add(layers.Conv1D(2, 3))\nm.predict(x, verbose=0)"),
    ("", "m = Sequential([layers.Conv1D(2, 3, padding='causal', dilation_rate=2), layers.MaxPooling1D(2), layers.UpSampling1D(2), layers.ZeroPadding1D(1), layers.Cropping1D(1), LSTM(2)])\nm.build((None, 9, 1))"),
    ("", "m = Sequential([Input((8, 8, 1)), layers.Conv2DTranspose(3, 3, strides=2, padding='same'), layers.DepthwiseConv2D(3), layers.SeparableConv2D(4, 3), layers.ZeroPadding2D(2), layers.Cropping2D(1), layers.UpSampling2D(2), layers.AveragePooling2D((2, 1)), layers.GlobalMaxPooling2D(), layers.RepeatVector(3), layers.GRU(2)])\nm.predict(images, verbose=0)"),
    ("", "inner = Sequential([Input((4,)), Dense(3)])\nouter = Sequential([Input((8,)), Dense(4), inner, Dense(1)])\nouter.predict(x, verbose=0)\nd = inner(np.zeros((2, 4)))"),
    ("", "i = Input((8,))\nh = Dense(4)(i)\nh = h + 1\nh = keras.ops.relu(h)\nm = Model(i, Dense(1)(h))\nm.predict(x, verbose=0)"),
    ("", "i = Input((8,))\nout, s1, s2 = LSTM(4, return_state=True)(layers.Reshape((4, 2))(i))\nm = Model(i, [out, s1])"),
    ("model = net(Dense(1))", "model.compile('adam', 'mse', metrics=['mae', keras.metrics.RootMeanSquaredError()])\nh = model.fit(x, y, verbose=0)\nh.history['mae']\nh.history['loss'][0]"),
    ("model = net(Dense(1))", "cb = keras.callbacks.EarlyStopping(monitor='loss', patience=1)\nh = model.fit(x, y, verbose=0, callbacks=[cb], epochs=3)\nlen(h.history['loss'])"),
    ("", "m = Sequential([Input((8,)), Dense(1)])\nm.compile('adam', 'mse')\nh = m.fit(x, y, verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(lambda e: 0.1)])\nlist(h.history)\nh.history.get('lr')"),
    ("i = [Input((8,)), Input((2,))]; model = Model(i, Concatenate()(i))", "model.predict([x, x[:, :2]], verbose=0)\nmodel([x, x[:, :2]])"),
    ("", "m = Sequential([layers.BatchNormalization(), Dense(3), layers.LeakyReLU(), layers.Softmax(), layers.LayerNormalization(), layers.GaussianNoise(0.1)])\nm(x)\nm(x[:1])"),
    ("", "m = Sequential()\nm.add(Input(shape=(8,)))\nm.add(Dense(1, activation=keras.activations.relu))\nm.get_layer(index=0)\nm.layers[0]\nlen(m.layers)\nm.output_shape[1]\nm.input_shape"),
    ("", "m = Sequential([Input((8,)), Dense(1)])\nm.compile('adam', 'mse')\nr = m.evaluate(x, y, verbose=0)\nr + 1"),
    ("class Cell(keras.callbacks.Callback):\n  pass", "m = Sequential([Input((8,)), Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, verbose=0, callbacks=[Cell()])"),
    ("", "m = Sequential([Input((8,)), Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x[:, :7], y, verbose=0, epochs=0) if False else 1"),
]  # fmt: skip

WORKS += [
    ("", "c = keras.utils.to_categorical(y)\nm = Sequential([Input((8,)), Dense(3, activation='softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, c, verbose=0)\nc.shape[1]"),
    ("", "keras.utils.to_categorical(y, num_classes=7)\nkeras.utils.to_categorical(y - 1)\nkeras.utils.to_categorical([0, 2])\nkeras.utils.to_categorical(y.reshape(-1, 1))[0, 2]"),
    ("", "keras.utils.pad_sequences([[1, 2], [3]], padding='post')[1, 1]"),
    ("import pandas as pd; frame = pd.DataFrame(x); labels = pd.Series(y)\n" + MODEL, "model.fit(frame, labels, verbose=0)\nmodel.predict(frame, verbose=0)[19, 2]"),
]  # fmt: skip

# On TensorFlow.
TENSORFLOW_CRASHES: list[tuple[str, str, str, int]] = [
    (MODEL, "model.fit(x, y + 2, verbose=0)", "InvalidArgumentError", 1),
    (MODEL, "model.fit(x, y - 1, verbose=0)", "InvalidArgumentError", 1),
    ("model = net(Dense(2))", "model.fit(x, onehot, verbose=0)", "ValueError", 1),
    ("import tensorflow as tf; tf.keras.layers", "m = tf.keras.Sequential([tf.keras.layers.LSTM(3, input_shape=(4,))])", "ValueError", 1),
    ("from tensorflow.keras.layers import LSTM as L\nfrom tensorflow.keras.models import Sequential as S", "S([L(3, input_shape=(4,))])", "ValueError", 1),
]  # fmt: skip
TENSORFLOW_CRASHES += [
    ("m = Sequential([Input((8,)), Embedding(5, 3), Flatten(), Dense(1)])", "m.predict(x + 7, verbose=0)", "InvalidArgumentError", 1),
    ("m = Sequential([Embedding(2, 3), Flatten(), Dense(1)]); m.compile('adam', 'mse')", "m.fit(np.array([[0, 1], [1, 2]]), y[:2], verbose=0)", "InvalidArgumentError", 1),
    (MODEL + "; model.predict(x, verbose=0)", "model.predict(x[:, :7], verbose=0)", "InvalidArgumentError", 1),
    (MODEL + "; model.predict(x, verbose=0)", "model.predict(images, verbose=0)", "ValueError", 1),
    (MODEL + "; model.predict(x, verbose=0)", "model.predict(x[0], verbose=0)", "ValueError", 1),
    (MODEL + "; model.fit(x, y, verbose=0)", "model.fit(x[:, :7], y, verbose=0)", "InvalidArgumentError", 1),
    (MODEL + "; model.fit(x, y, verbose=0)", "model.fit(images, y[:10], verbose=0)", "ValueError", 1),
    (MODEL + "; model.fit(x, y, verbose=0)", "model.fit(x, onehot, verbose=0)", "ValueError", 1),
    (MODEL + "; model.fit(x, y, verbose=0)", "model.evaluate(x[:, :7], y, verbose=0)", "ValueError", 1),
    (MODEL, "model.predict(x, verbose=0)\nmodel.predict(x[:, :7], verbose=0)", "InvalidArgumentError", 2),
    (MODEL, "model.fit(x, y, verbose=0)\nmodel.predict(x[:, :7], verbose=0)", "ValueError", 2),
    ("i = Input((7,)); model = Model(i, Dense(1)(i)); model.predict(x[:, :7], verbose=0)", "model.predict(images, verbose=0)", "ValueError", 1),
]  # fmt: skip
TENSORFLOW_WORKS: list[tuple[str, str]] = [
    (MODEL, "model.fit(x, y.astype('float32'), verbose=0)"),
    ("model = net(Dense(2))", "model.fit(x, y.reshape(-1, 1), verbose=0)"),
    ("import tensorflow as tf; tf.keras.layers", "m = tf.keras.Sequential([tf.keras.layers.LSTM(3, input_shape=(4, 2))])\nm(tf.zeros((2, 4, 2)))"),
]  # fmt: skip

# -- parts of models, data to validate with, sources of batches: on TensorFlow, which has `tf.keras` -------------------

_FUNCTIONAL = "i = Input((8,)); h = Dense(4, name='hid')(i); model = Model(i, Dense(3, name='out')(h)); model.compile('sgd', 'mse')"
_TF = "import tensorflow as tf\nfrom tensorflow import keras as k2\n"
_DIRECTORY = """
import tempfile, os, pandas as pd, tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from PIL import Image
d = tempfile.mkdtemp()
for c in 'abc':
  os.makedirs(d + '/' + c)
  for k in range(3): Image.new('RGB', (20, 20)).save(d + '/' + c + '/' + str(k) + '.png')
table = pd.DataFrame({'file': ['a/0.png', 'b/0.png', 'c/1.png'], 'label': [0, 1, 2], 'name': ['a', 'b', 'c']})
gen = ImageDataGenerator(rescale=1 / 255)
def cnn(shape, out, loss):
  m = Sequential([Input(shape), Conv2D(4, 3), Flatten(), Dense(out, activation='softmax')]); m.compile('sgd', loss)
  return m
pictures = np.zeros((9, 20, 20, 3)); kinds = np.arange(9) % 3
flow = gen.flow_from_directory(d, target_size=(16, 16), batch_size=4)
"""
_TEXT = """
import pandas as pd
from keras._tf_keras.keras.preprocessing.text import Tokenizer
from keras.utils import pad_sequences
texts = ['a b c d', 'b c', 'a', 'd e f g'] * 5; table = pd.DataFrame({'t': texts}); gaps = table.copy(); gaps.loc[3, 't'] = np.nan
fitted = Tokenizer(); fitted.fit_on_texts(texts)
"""
_RATINGS = "u = Input((1,)); i = Input((1,)); a = Flatten()(Embedding({}, 3)(u)); b = Flatten()(Embedding(4, 3)(i)); model = Model([u, i], layers.Dot(1)([a, b])); model.compile('adam', 'mse'); users = np.array([1, 2, 3, 5]); items = np.arange(4)"
_SLICES = (
    _DIRECTORY
    + "ds = tf.data.Dataset.from_tensor_slices((pictures, kinds)); model = cnn((20, 20, 3), 3, 'sparse_categorical_crossentropy')"
)

TENSORFLOW_CRASHES += [
    (MODEL, "model.input", "ValueError", 1),
    (MODEL, "model.predict(x, verbose=0)\nmodel.output", "ValueError", 2),
    (MODEL, "model.get_layer('nope')", "ValueError", 1),
    (MODEL, "model.get_layer(index=2)", "ValueError", 1),
    (MODEL, "model.layers[0].trainable = False\nmodel.layers[2]", "IndexError", 2),
    (_FUNCTIONAL, "for each in model.layers:\n  each.trainable = False\nmodel.fit(x[:, :7], y, verbose=0)", "ValueError", 3),
    (_FUNCTIONAL, "m = Model(model.input, model.get_layer('hid').output)\nm.compile('sgd', 'categorical_crossentropy')\nm.fit(x, y, verbose=0)", "ValueError", 3),
    ("", "i = Input((8,))\ne = Dense(4)(i)\nm = Model(i, Dense(8)(e))\nd = Model(Input((4,)), m.layers[-1](Input((5,))))", "ValueError", 4),
    (MODEL, "model.fit(x, y, verbose=0, validation_data=(x[:5, :7], y[:5]))", "ValueError", 1),
    (MODEL, "model.fit(x, y, verbose=0, validation_data=(x[:5], y[:4]))", "ValueError", 1),
    (MODEL, "model.fit(x, y, verbose=0, validation_data=[x[:5], onehot[:5]])", "ValueError", 1),
    (MODEL, "model.fit(x, y, verbose=0, epochs=3, validation_data=(x[:5], y[:5] + 2))", "InvalidArgumentError", 1),
    (_TF, "m = k2.Sequential([k2.layers.Dense(3)])\nm.compile(k2.optimizers.Adam(0.01), k2.losses.CategoricalCrossentropy())\nm.fit(x, y, verbose=0)", "ValueError", 3),
    (_TF, "m = tf.keras.models.Sequential()\nm.add(tf.keras.layers.LSTM(3, input_shape=(4,)))", "ValueError", 2),
    (_RATINGS.format(5), "model.fit([users, items], y[:4], verbose=0)", "InvalidArgumentError", 1),
    ("users = np.array([1, 5]); items = np.arange(2)", "u = Input((1,)); i = Input((1,))\nm = Model([u, i], layers.Dot(1)([Flatten()(Embedding(5, 3)(u)), Flatten()(Embedding(2, 3)(i))]))\nm.predict([users, items], verbose=0)", "InvalidArgumentError", 3),
    ("", "m = Sequential([Embedding(5, 3, input_length=2), Flatten(), Dense(1)])\nm.predict(np.array([[0, -7]]), verbose=0)", "InvalidArgumentError", 2),
    ("", "m = Sequential([Embedding(5, 3, input_length=2), LSTM(3), LSTM(3)])\nm.compile('adam', 'mse')\nm.fit(np.array([[0, 1]]), y[:1], verbose=0)", "ValueError", 3),
    (MODEL, "p = model.predict(x, verbose=0)\nq = (p > 0.5).astype(int)\nnp.argmax(q, axis=1)[20]", "IndexError", 3),
    (_DIRECTORY, "gen.flow(pictures, kinds[:5])", "ValueError", 1),
    (_DIRECTORY, "gen.flow(pictures[:, :, :, 0], kinds)", "ValueError", 1),
    (_DIRECTORY, "gen.fit(pictures[0])", "ValueError", 1),
    (_DIRECTORY, "gen.flow_from_dataframe(table, d, x_col='filename', y_col='label')", "KeyError", 1),
    (_DIRECTORY, "gen.flow_from_dataframe(table, d, x_col='file', y_col='class')", "KeyError", 1),
    (_DIRECTORY, "gen.flow_from_dataframe(table, d, x_col='file', y_col='label', class_mode='binary')", "TypeError", 1),
    (_DIRECTORY, "ImageDataGenerator(rescale=1 / 255, validation_split=2)", "ValueError", 1),
    (_DIRECTORY + "model = cnn((20, 20, 3), 3, 'categorical_crossentropy')", "model.fit(flow, verbose=0)", "ValueError", 1),
    (_DIRECTORY + "model = cnn((16, 16, 3), 3, 'sparse_categorical_crossentropy')", "model.fit(flow, steps_per_epoch=flow.samples // 4, verbose=0)", "ValueError", 1),
    (_DIRECTORY + "model = cnn((20, 20, 3), 3, 'categorical_crossentropy')", "model.fit(gen.flow(pictures, kinds, batch_size=4), verbose=0)", "ValueError", 1),
    (_SLICES, "tf.data.Dataset.from_tensor_slices((pictures, kinds[:5]))", "ValueError", 1),
    (_SLICES, "model.fit(ds, verbose=0)", "ValueError", 1),
    (_SLICES, "model.fit(ds.batch(4), validation_data=ds, verbose=0)", "ValueError", 1),
    (_SLICES, "data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(9).batch(4)\nmodel.fit(data, verbose=0)", "ValueError", 2),
    (_TEXT, "tok = Tokenizer()\ntok.fit_on_texts(gaps['t'])", "AttributeError", 2),
    (_TEXT, "fitted.texts_to_sequences([1, 2])", "AttributeError", 1),
    (_TEXT, "fitted.fit_on_texts(['zz yy'])\nfitted.word_index['qq']", "KeyError", 2),
    (_TEXT, "tok = Tokenizer()\ntok.fit_on_texts(table['t'])\nrows = pad_sequences(tok.texts_to_sequences(table['t']), maxlen=6)\nm = Sequential([Embedding(len(tok.word_index), 8), Flatten(), Dense(1)])\nm.compile('adam', 'mse')\nm.fit(rows, y, verbose=0)", "InvalidArgumentError", 6),
]  # fmt: skip
TENSORFLOW_WORKS += [
    (MODEL, "model(Input((8,)))\nmodel.input\nmodel.output"),
    (MODEL, "Sequential([Input((8,)), model])\nmodel.output"),
    (MODEL, "m = Sequential([model])\nm(x)\nmodel.output"),
    (MODEL, "Model(model.inputs, model.layers[0].output).predict(x, verbose=0)\nmodel.get_layer(index=-1)\nmodel.outputs[0].shape[1]"),
    (MODEL, "model.fit(x, y, verbose=0, epochs=0, validation_data=(x[:5, :7], y[:5]))"),
    (MODEL, "model.fit(x, y, verbose=0, validation_freq=2, validation_data=(x[:5, :7], y[:5]))"),
    (MODEL, "model.fit(x, y, verbose=0, validation_data=(x[:5], y[:5]))\nmodel.fit(x, y, verbose=0, validation_data=[x[:5], y[:5]])"),
    (_RATINGS.format(6), "model.fit([users, items - 1], y[:4], verbose=0)"),
    (_RATINGS.format(5), "model.fit([users, items], y[:4], verbose=0, steps_per_epoch=1, batch_size=2, shuffle=False)"),
    ("", "keras.config.set_dtype_policy('mixed_float16')\nm = Sequential([Input((8,)), Dense(3)])\nassert m.predict(x, verbose=0).dtype == np.float16"),
    ("keras.config.set_dtype_policy('mixed_float16')", "m = Sequential([Input((8,)), Dense(3)])\nassert m.predict(x, verbose=0).dtype == np.float16"),
    ("", "m = Sequential([Input((8,)), Dense(3, dtype='float16')])\nassert m.predict(x, verbose=0).dtype == np.float16"),
    (_TF, "k2.layers.Dense(3)\nk2.preprocessing.text.Tokenizer\ntf.keras.preprocessing.image\ntf.keras.backend.epsilon()"),
    (_DIRECTORY + "model = cnn((16, 16, 3), 3, 'categorical_crossentropy')", "model.fit(flow, validation_data=flow, verbose=0)\nmodel.predict(flow, verbose=0)"),
    (_DIRECTORY + "model = cnn((20, 20, 3), 3, 'sparse_categorical_crossentropy')", "gen.fit(pictures)\nmodel.fit(gen.flow(pictures, kinds, batch_size=4), verbose=0, steps_per_epoch=2)"),
    (_DIRECTORY, "gen.flow_from_dataframe(table, d, x_col='file', y_col='label', class_mode='raw')\ngen.flow_from_dataframe(table, d, x_col='file', y_col='no', class_mode=None)\ngen.flow_from_dataframe(table, d, x_col='file', y_col='name')"),
    (_SLICES, "model.fit(ds.batch(4), validation_data=ds.batch(2), verbose=0)\nmodel.evaluate(ds.batch(3, drop_remainder=True), verbose=0)\nmodel.fit(ds.repeat().batch(4), steps_per_epoch=3, verbose=0)"),
    (_TEXT, "counts = fitted.word_counts\nfitted.fit_on_texts(['zz'])\ncounts['zz']\nfitted.word_index['zz']\nfitted.texts_to_sequences(table['t'])[0][3]"),
    (_TEXT, "index = fitted.word_index\nfitted.fit_on_texts([['q', 'r'], ['s']])\nfitted.word_index['q']\nfitted.texts_to_sequences('ab')"),
]  # fmt: skip
