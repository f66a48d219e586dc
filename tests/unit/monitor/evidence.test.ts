import assert from "node:assert/strict";
import { test } from "node:test";
import { givesEvidence, trainingLine } from "../../../lib/monitor/evidence.ts";
import type { Traces } from "../../../lib/monitor/evidence.ts";
import type { Attempt } from "../../../lib/sweep/attempt.ts";

const DIVIDER =
  "===== herd: trial 0, attempt 2, job 7_0, restart 0, node n1, 2026-01-01T00:00:00+0000 =====";

const TRAINING = [
  "Epoch 1/10",
  "Epoch [3/50], Step [100/469], Loss: 0.1234",
  "epoch: 0 | train loss: 2.31",
  "[2026-01-01 12:00:00,123][__main__][INFO] - epoch 1 loss 0.42",
  "Epoch 0:  13%|█▎        | 13/100 [00:02<00:15,  5.60it/s, v_num=0, train_loss=2.30]",
  "\u001b[32mEpoch 2\u001b[0m: 100%",
  "{'loss': 0.6931, 'grad_norm': 1.2, 'learning_rate': 5e-05, 'epoch': 0.02}",
  " 13%|█▎        | 13/100 [00:02<00:15,  5.60it/s]",
  "25/1875 [..............................] - ETA: 2s - loss: 0.5012 - accuracy: 0.83",
  "\u001b[1m 25/1875\u001b[0m \u001b[37m━━━━\u001b[0m \u001b[1m2s\u001b[0m 3ms/step",
  "step 100: train loss 2.5, val loss 2.6",
  "iter 10: loss 2.9, time 300ms",
  "step=2000",
  "global_step: 500, lr: 0.001",
  "[12]\ttrain-rmse:0.33221\teval-rmse:0.41",
  "0:\tlearn: 0.6912341\ttotal: 46.1ms",
  "|    ep_rew_mean     | 22.3     |",
  "Iteration 1, loss = 0.31",
  "val_acc=0.91",
  "loss: nan",
  "Resuming training, epoch 4 loss=0.2",
  "episode 5 reward 10",
];

const SETTING_UP = [
  "",
  "starting",
  "Starting training",
  "GPU available: True, used: True",
  "/usr/lib/python3/warnings.py:12: UserWarning: epoch 1 parameter is deprecated",
  "FutureWarning: loss 1 will go away",
  "2026-01-01 12:00:00.1: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on",
  "max_epochs: 100",
  "epochs: 10",
  "num_steps=1000",
  "batch_size: 32",
  "loss: cross_entropy",
  "loss_weight: 0.5",
  "python train.py --epoch 10 model.start_epoch=3",
  "Downloading data: 45%|████▌     | 1.21G/2.60G [00:10<00:12, 110MB/s]",
  "Loading checkpoint shards: 100%|██████████| 2/2 [00:03<00:00,  1.60s/it]",
  "Loaded checkpoint 'x.pt' (epoch 3)",
  "Map: 100%|██████████| 1000/1000 [00:00<00:00, 5000 examples/s]",
  "Sanity Checking DataLoader 0: 100%|██████████| 2/2 [00:00<00:00,  5.00it/s]",
  "  0%|          | 0/100 [00:00<?, ?it/s]",
  "Step 1: installing packages",
  "Step 1/5: Preparing the data",
  "slurmstepd: error: *** STEP 123.0 ON n1 CANCELLED AT 2026-01-01 ***",
  "ValueError: expected step 3 of 10, loss=0.1",
  "reducing loss scale to 32768",
  "--- 10 packages can be upgraded",
];

test("what trainers print is training: plain loops, Lightning, Hugging Face, Keras, boosting, RL", () => {
  for (const line of TRAINING) assert.notEqual(trainingLine(line), undefined, line);
});

test("starting, warnings, configurations, downloads and SLURM's own words are not", () => {
  for (const line of SETTING_UP) assert.equal(trainingLine(line), undefined, line);
});

test("a progress bar is read at its latest state, whatever follows in the log", () => {
  const log = "Loading\r 0%| | 0/9 [00:00<?, ?it/s]\r 50%|x| 4/9 [00:01<00:02, 3.1it/s]\nbye\n";
  assert.match(trainingLine(log) ?? "", /3\.1it\/s/);
});

test("lines of an earlier attempt are no evidence of this one", () => {
  assert.equal(trainingLine(`Epoch 1/10 loss=0.3\n${DIVIDER}\nimporting torch\n`), undefined);
  assert.equal(trainingLine(`${DIVIDER}\nEpoch 1/10\n`), "Epoch 1/10");
});

test("a line of megabytes takes no time", () => {
  const began = performance.now();
  assert.equal(trainingLine(`${"epoch step loss ".repeat(100_000)}`), undefined);
  assert.equal(trainingLine("[1] a".padEnd(500_000, " x")), undefined);
  assert.ok(performance.now() - began < 1_000);
});

function traces(more: Partial<Traces> & { attempt?: Attempt } = {}): Traces {
  return { status: "running", attempt: attempt({}), metricAt: undefined, logs: [], ...more };
}

function attempt(more: Partial<Attempt>): Attempt {
  return {
    trial: 0,
    number: 1,
    submission: "s1",
    task: 0,
    jobId: "7",
    intendedAt: 900_000,
    phase: "running",
    schedulerState: "RUNNING",
    reason: undefined,
    startedAt: 1_000_000,
    endedAt: undefined,
    node: undefined,
    restarts: 0,
    ending: undefined,
    usage: undefined,
    usageDue: false,
    unknownSince: undefined,
    ...more,
  };
}

test("success is evidence, and so is a metric point of this attempt or a line in either log", () => {
  assert.equal(givesEvidence(traces()), false);
  assert.equal(givesEvidence(traces({ status: "completed" })), true);
  assert.equal(givesEvidence(traces({ metricAt: 1_010 })), true);
  assert.equal(givesEvidence(traces({ logs: ["", "Epoch 1/2"] })), true);
});

test("metrics of an earlier attempt are no evidence, nor are any while the new one waits", () => {
  assert.equal(givesEvidence(traces({ metricAt: 700 })), false);
  assert.equal(givesEvidence(traces({ metricAt: 0, attempt: attempt({ number: 2 }) })), false);
  assert.equal(givesEvidence(traces({ metricAt: 0 })), true);
  const queued = attempt({ number: 2, startedAt: undefined });
  assert.equal(
    givesEvidence(
      traces({ status: "queued", attempt: queued, metricAt: 5_000, logs: ["Epoch 1/2"] }),
    ),
    false,
  );
});
