"""A small classifier and its training step, in plain Python. Nothing here knows herd."""

import math
import random


def read_data(path):
    """Rows of a CSV file as (features, label); the first two thirds train, the rest test."""
    with open(path) as file:
        lines = file.read().splitlines()[1:]
    rows = []
    for line in lines:
        cells = line.split(",")
        rows.append(([float(cell) / 3.0 for cell in cells[:-1]], int(cells[-1])))
    border = len(rows) * 2 // 3
    return rows[:border], rows[border:]


def new_model(inputs, hidden, classes, seed):
    """Weights of a network with one hidden layer; hidden=0 is multinomial logistic regression.

    Each row of a layer holds one unit's weights, its bias last.
    """
    draw = random.Random(seed)
    sizes = [inputs, hidden, classes] if hidden else [inputs, classes]
    layers = []
    for size, units in zip(sizes, sizes[1:]):
        scale = 1.0 / math.sqrt(size)
        layers.append(
            [[draw.uniform(-scale, scale) for _ in range(size)] + [0.0] for _ in range(units)]
        )
    velocity = [[[0.0] * len(row) for row in layer] for layer in layers]
    return {"layers": layers, "velocity": velocity}


def forward(layers, features):
    """Hidden activations (None without a hidden layer) and the probability of each class."""
    hidden = None
    if len(layers) == 2:
        hidden = [
            math.tanh(sum(w * x for w, x in zip(row, features)) + row[-1]) for row in layers[0]
        ]
    top = features if hidden is None else hidden
    scores = [sum(w * x for w, x in zip(row, top)) + row[-1] for row in layers[-1]]
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = sum(powers)
    return hidden, [power / total for power in powers]


def train_on(model, features, label, rate, momentum, decay):
    """One step of stochastic gradient descent. Returns the cross-entropy before the step."""
    layers, velocity = model["layers"], model["velocity"]
    hidden, chances = forward(layers, features)
    errors = [chance - (unit == label) for unit, chance in enumerate(chances)]
    if hidden is not None:
        back = [
            (1.0 - activation * activation)
            * sum(error * row[at] for error, row in zip(errors, layers[-1]))
            for at, activation in enumerate(hidden)
        ]
        descend(layers[0], velocity[0], features, back, rate, momentum, decay)
    top = features if hidden is None else hidden
    descend(layers[-1], velocity[-1], top, errors, rate, momentum, decay)
    return -math.log(max(chances[label], 1e-300))


def descend(layer, velocity, inputs, errors, rate, momentum, decay):
    inputs = inputs + [1.0]
    for unit, error in enumerate(errors):
        row = layer[unit]
        pace = velocity[unit] = [
            momentum * v - rate * (error * x + decay * w)
            for v, x, w in zip(velocity[unit], inputs, row)
        ]
        layer[unit] = [w + v for w, v in zip(row, pace)]


def accuracy(model, rows):
    right = 0
    for features, label in rows:
        _, chances = forward(model["layers"], features)
        right += chances.index(max(chances)) == label
    return right / float(len(rows))
