#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a score what it says: the probability, at even prior odds, that a failure is interference?

    calibration.py DARKLINE CATALOG RULES.C --train DIR... [--fresh DIR...] [--real SHARED/data] [--keep FILE]
    calibration.py DARKLINE CATALOG RULES.C --sane DIR...

Reads recordings of the lab with the truth beside each (tests/lab/record --vary), and real captures: `negatives`, `ndpi` and `tripwire` to learn from,
CenTrace to be tested on, never to learn from. A sample is one flow that got a score by weights: which rules of the table fired, and whether a box
between the ends interfered. An innocent third party did not, nor did the server; a resolver that lies is neither, and left out.

**Even odds.** Each class weighs the same within each field (resets, questions, certificates, unreachable), and within a class each *kind* does: a kind is
an injector's family, the cases of one innocent, or one real capture. So neither the number of attempts nor a popular case sets the odds. A field that has
one class alone counts for no share, and its flows are shown as counted.

**Fit.** Logistic regression on the unproven without an intercept, penalised towards the weights in RULES.C, signs kept, in fields with KINDS_LEAST kinds of
each class. Contradictions keep their weight: what contradicts itself is proven, and how often that errs is counted and not fitted.

**Left out.** Each sample is predicted by weights that were fitted without its whole kind: an injector's family, or an innocent, that nobody has seen.

With --fresh: recordings that nobody learnt from, with the program's own scores. With --sane: few recordings, a test: scores are made as the
documentation says, stay below their caps, and on the whole know more than a coin.
"""
import argparse
import collections
import concurrent.futures
import glob
import json
import math
import os
import re
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import lab  # noqa: E402
import verdicts  # noqa: E402

PENALTY = 3.0  # of a step of 1 from the weight in the table, in recordings
PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0)
KINDS_LEAST = 4
CAP_UNPROVEN, CAP_CERTIFICATE, CAP_INNOCENT = 0.9, 0.8, 0.1  # proof.h, judge_tls_identity.c, judge.h
ROUNDS, CLOSE = 200, 1e-6
COIN = 0.25       # Brier score of who always says one half
ROUNDED = 0.0015  # scores have three digits
RULE = re.compile(r'\{\.id = "([a-z0-9-]+)"(.*?)\},', re.S)
# What a score rests on, by mechanism: what looks like what.
FIELDS = (("questions", "dns."), ("certificates", "tls.mitm."), ("unreachable", "ip."), ("pages", "http.blockpage"), ("pages", "http.redirect"),
          ("pace", "tls.throttle"), ("pace", "stream.throttle"))


# ---- the table of rules ----

class Rule:
    def __init__(self, text):
        found = re.search(r"\.weight = (-?[0-9.]+)", text)
        self.weight = float(found.group(1)) if found else 0.0
        found = re.search(r"\.kind = JUDGE_RULE_([A-Z]+)", text)
        self.kind = found.group(1) if found else "PLAIN"


def rules_of(path):
    with open(path, encoding="utf-8") as file:
        return {name: Rule(body) for name, body in RULE.findall(file.read())}


def score_of(fired, rules, weights):
    """As set_score() of proof.c; None where nothing weighs."""
    proven = any(rules[name].kind == "CONTRADICTION" for name in fired)
    innocent = any(rules[name].kind == "INNOCENT" for name in fired)
    if not innocent and not any(rules[name].weight for name in fired):
        return None
    score = 1 / (1 + math.exp(-sum(weights[name] for name in fired)))
    if not proven:
        score = min(score, CAP_CERTIFICATE if any(name.startswith("certificate-") for name in fired) else CAP_UNPROVEN)
    return min(score, CAP_INNOCENT) if innocent else score


# ---- samples ----

Sample = collections.namedtuple("Sample", "field kind group true fired score proven")


def field_of(mechanism):
    return next((name for name, start in FIELDS if (mechanism or "").startswith(start)), "resets")


def sample_of(flow, rules, kind, group, true):
    fired = frozenset(item["rule"] for item in flow["evidence"] if item["rule"] in rules)
    proven = any(rules[name].kind == "CONTRADICTION" for name in fired)
    return Sample(field_of(flow["mechanism"]), kind, group, true, fired, flow["score"], proven)


def lab_samples(darkline, catalog, folders, rules):
    for line in lab.judge_all(darkline, catalog, lab.captures_in(folders)):
        if line["score"] is None or line["class"] == "lying":
            continue
        true = line["class"] == "interfered"
        case = "-".join(line["case"].split("-")[:2])  # innocent-balancer-rst is another innocent-balancer
        kind = line["family"] if true and line["family"] not in (None, "written") else case
        yield sample_of(line, rules, kind, f"{line['case']} {line['seed']}", true)


def each_capture(darkline, catalog, folder):
    paths = [path for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True)) if os.path.isfile(path) and verdicts.is_capture(path)]
    with concurrent.futures.ThreadPoolExecutor(lab.AT_ONCE) as pool:
        yield from zip(paths, pool.map(lambda path: verdicts.flows_of(darkline, catalog, path), paths))


def real_samples(darkline, catalog, real, rules):
    """Ordinary failures, each capture a kind of its own (nDPI keeps some twice), and two censors seen from the server's side."""
    seen = set()
    for folder in ("negatives", "ndpi", "interference/tripwire"):
        for path, flows in each_capture(darkline, catalog, os.path.join(real, folder)):
            name = os.path.basename(path)
            if name in seen:
                continue
            seen.add(name)
            for flow in flows:
                if flow["score"] is not None:
                    yield sample_of(flow, rules, name, name, "tripwire" in folder)


def centrace_samples(darkline, catalog, real, rules):
    """A test's flow was interfered with where CenTrace's own analysis says so of that server and name, in the way it says; a control's was not, whatever
    befell it, nor what befell both alike. Of two servers that nobody labelled the controls are taken alone."""
    folder = os.path.join(real, "interference", "centrace")
    labels = {(row["server_ip"], row["name"]): verdicts.CENTRACE[row["expected"]] for row in verdicts.rows_of(folder)}
    for path, flows in each_capture(darkline, catalog, os.path.join(folder, "full")):
        for flow in flows:
            wanted = labels.get((flow["server"], flow["host"]))
            router = flow["mechanism"] == "ip.unreachable"  # the tool's own short-lived probes
            if flow["score"] is not None and (router or wanted is not None or flow["host"] == "example.com"):
                yield sample_of(flow, rules, os.path.basename(path), os.path.basename(path), flow["mechanism"] in (wanted or ()))


# ---- even odds ----

def weigh(samples):
    """A weight for each: classes alike within a field that has both, kinds alike within a class; in all as many as there are recordings."""
    kinds = collections.Counter((s.field, s.true, s.kind) for s in samples)
    per_class = collections.Counter((field, true) for field, true, _ in kinds)
    groups = collections.defaultdict(set)
    for s in samples:
        groups[s.field].add(s.group)
    out = []
    for s in samples:
        both = per_class[s.field, True] and per_class[s.field, False]
        share = 0.5 / per_class[s.field, s.true] / kinds[s.field, s.true, s.kind] if both else 0.0
        out.append(share * len(groups[s.field]))
    return out


# ---- fit ----

def can_be_fitted(samples):
    """Fields with enough kinds of either class."""
    kinds = collections.Counter((field, true) for field, true, _ in {(s.field, s.true, s.kind) for s in samples})
    return {field for field, _ in kinds if min(kinds[field, True], kinds[field, False]) >= KINDS_LEAST}


def patterns_of(samples, rules, learn):
    """Samples with the same rules are one: (fixed part of the sum, the learnt rules, true) and their weight. What is proven, or innocent, has a score
    whatever the looks weigh."""
    bare = [s for s in samples if not s.proven and not any(rules[name].kind == "INNOCENT" for name in s.fired)]
    fields = can_be_fitted(bare)
    bare = [s for s in bare if s.field in fields]
    out = collections.Counter()
    for s, weight in zip(bare, weigh(bare)):
        out[sum(rules[name].weight for name in s.fired - learn), tuple(sorted(s.fired & learn)), s.true] += weight
    return out


def fit(samples, rules, penalty=PENALTY):
    """Weights of all rules: each learnt one in turn by a step of Newton's, until none moves."""
    learn = {name for name, rule in rules.items() if rule.kind == "LOOKS" and rule.weight}
    weights = {name: rule.weight for name, rule in rules.items()}
    patterns = list(patterns_of(samples, rules, learn).items())
    using = {name: [i for i, ((_, learnt, _), _) in enumerate(patterns) if name in learnt] for name in learn}
    sums = [fixed + sum(weights[name] for name in learnt) for (fixed, learnt, _), _ in patterns]
    for _ in range(ROUNDS):
        moved = 0.0
        for name in sorted(learn):
            slope, bend = penalty * (weights[name] - rules[name].weight), penalty
            for i in using[name]:
                share = 1 / (1 + math.exp(-sums[i]))
                slope += patterns[i][1] * (share - patterns[i][0][2])
                bend += patterns[i][1] * share * (1 - share)
            new = weights[name] - slope / bend
            new = max(new, 0.0) if rules[name].weight > 0 else min(new, 0.0)
            step = new - weights[name]
            weights[name] = new
            for i in using[name]:
                sums[i] += step
            moved = max(moved, abs(step))
        if moved < CLOSE:
            break
    return weights


def left_out(samples, rules, penalty=PENALTY):
    """A prediction for each sample by weights that never saw its kind."""
    out = {}
    for kind in sorted({s.kind for s in samples}):
        weights = fit([s for s in samples if s.kind != kind], rules, penalty)
        out[kind] = weights
    return [score_of(s.fired, rules, out[s.kind]) for s in samples]


# ---- tables ----

def losses(samples, scores):
    weights = weigh(samples)
    total = sum(weights) or 1
    brier = sum(w * (p - s.true) ** 2 for s, p, w in zip(samples, scores, weights)) / total
    log = -sum(w * math.log(max(p if s.true else 1 - p, 1e-3)) for s, p, w in zip(samples, scores, weights)) / total
    return brier, log


def print_reliability(title, samples, scores):
    brier, log = losses(samples, scores)
    print(f"\n{title}: {len(samples)} flows; Brier {brier:.3f}, log loss {log:.3f} (both at even odds)")
    print("  score     flows  kinds  mean score  share interfered, at even odds  (counted)")
    tenths = collections.defaultdict(list)
    for s, p, w in zip(samples, scores, weigh(samples)):
        tenths[min(int(p * 10 + 1e-9), 9)].append((s, p, w))
    for tenth, rows in sorted(tenths.items()):
        mass = sum(w for _, _, w in rows)
        counted = sum(s.true for s, _, _ in rows) / len(rows)
        mean = sum(p * w for _, p, w in rows) / mass if mass else sum(p for _, p, _ in rows) / len(rows)
        even = f"{sum(w for s, _, w in rows if s.true) / mass:.3f}" if mass else "  -  "
        print(f"  {tenth / 10:.1f}-{tenth / 10 + 0.1:.1f} {len(rows):7} {len({s.kind for s, _, _ in rows}):6}  {mean:10.3f}  {even:>30}  {counted:9.3f}")


def print_fields(samples, scores):
    """Where the odds come from: fields that lack a class cannot be calibrated."""
    counts = collections.defaultdict(lambda: collections.defaultdict(list))
    for s, p in zip(samples, scores):
        counts[s.field][s.true].append((s, p))
    for field, classes in sorted(counts.items()):
        parts = []
        for true in (True, False):
            rows = classes.get(true, [])
            mean = f", mean score {sum(p for _, p in rows) / len(rows):.3f}" if rows else ""
            parts.append(f"{'interfered' if true else 'not'} {len(rows)} of {len({s.kind for s, _ in rows})} kinds{mean}")
        print(f"  {field:13} " + "; ".join(parts))


def print_weights(samples, rules, fitted):
    print("\nweights: rule, in the table, fitted, rounded; on how many flows, interfered and not (kinds)")
    for name, rule in rules.items():
        having = [s for s in samples if name in s.fired]
        if rule.kind != "LOOKS" or not rule.weight:
            continue
        sides = [f"{len([s for s in having if s.true is side]):4} ({len({s.kind for s in having if s.true is side})})" for side in (True, False)]
        print(f"  {name:26} {rule.weight:5.1f} {fitted[name]:6.2f} {round(fitted[name], 1):5.1f}   {sides[0]} {sides[1]}")


def print_contradictions(samples, rules):
    print("\ncontradictions: flows interfered, not")
    for name, rule in rules.items():
        if rule.kind == "CONTRADICTION":
            print(f"  {name:22} {sum(name in s.fired and s.true for s in samples):5} {sum(name in s.fired and not s.true for s in samples):5}")


def without_pace(samples):
    return [s for s in samples if s.field != "pace"]


def unproven(samples, scores, field=None):
    pairs = [(s, p) for s, p in zip(samples, scores) if not s.proven and field in (None, s.field)]
    return [s for s, _ in pairs], [p for _, p in pairs]


def print_tables(title, samples, scores):
    print_reliability(title, samples, scores)
    for field in sorted(can_be_fitted(samples)):
        if field in {s.field for s in samples if not s.proven}:
            print_reliability(f"{title}, unproven {field}", *unproven(samples, scores, field))


def print_disagreements(samples, rules):
    """The scores here are made as the program makes them; else the tables speak of something else."""
    weights = {name: rule.weight for name, rule in rules.items()}
    wrong = [s for s in samples if s.field != "pace" and abs(score_of(s.fired, rules, weights) - s.score) > ROUNDED]
    print(f"scores made here that are not the program's: {len(wrong)} of {len(samples)}")
    for s in wrong[:5]:
        print(f"  {s.group}: {sorted(s.fired)} {s.score} {score_of(s.fired, rules, weights):.3f}")


def print_pace(samples):
    """Scores of slowed connections are constants of judge_throttle.c, and not fitted."""
    print("\nslowed down: score, flows interfered, not")
    for score in sorted({s.score for s in samples if s.field == "pace"}):
        rows = [s.true for s in samples if s.field == "pace" and s.score == score]
        print(f"  {score:.3f} {sum(rows):5} {len(rows) - sum(rows):5}")


def wrong_in(samples, rules):
    """Sentences: what no recording may show."""
    weights = {name: rule.weight for name, rule in rules.items()}
    for s in samples:
        if s.field != "pace" and abs(score_of(s.fired, rules, weights) - s.score) > ROUNDED:
            yield f"{s.group}: score {s.score} is not what {sorted(s.fired)} make"
        if not s.proven and s.score > CAP_UNPROVEN:
            yield f"{s.group}: score {s.score} without a contradiction"
        if any(rules[name].kind == "INNOCENT" for name in s.fired) and s.score > CAP_INNOCENT:
            yield f"{s.group}: score {s.score} though innocent"
    for field in can_be_fitted(samples):
        group = [s for s in samples if s.field == field]
        brier, _ = losses(group, [s.score for s in group])
        print(f"{field}: {len(group)} flows, Brier {brier:.3f} at even odds")
        if brier >= COIN:
            yield f"{field}: a coin knows as much"
    if not can_be_fitted(samples):
        yield "no field has kinds enough"


def report_training(samples, rules):
    hand = [s.score for s in samples]
    fitted = fit(samples, rules)
    every = [score_of(s.fired, rules, fitted) for s in samples]
    fresh = left_out(samples, rules)
    print_fields(samples, hand)
    for title, scores in (("weights of the table", hand), ("fitted on all", every), ("fitted, each kind left out in turn", fresh)):
        print_tables(title, samples, scores)
    print("\npenalty: log loss of the unproven resets, each kind left out in turn")
    for penalty in PENALTIES:
        loss = losses(*unproven(samples, left_out(samples, rules, penalty), "resets"))[1]
        print(f"  {penalty:5.1f} {loss:.3f}")
    print_weights(samples, rules, fitted)
    print_contradictions(samples, rules)
    return fitted


def report_test(title, samples, rules, fitted):
    print_fields(samples, [s.score for s in samples])
    print_tables(f"{title}, weights of the table", samples, [s.score for s in samples])
    if fitted:
        print_tables(f"{title}, fitted", samples, [score_of(s.fired, rules, fitted) for s in samples])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("darkline")
    parser.add_argument("catalog")
    parser.add_argument("rules")
    parser.add_argument("--train", nargs="+", default=[], metavar="DIR")
    parser.add_argument("--fresh", nargs="+", default=[], metavar="DIR")
    parser.add_argument("--sane", nargs="+", default=[], metavar="DIR")
    parser.add_argument("--real", metavar="DIR")
    parser.add_argument("--keep", metavar="FILE", help="write the samples of --train, or read them if they are there")
    options = parser.parse_args()
    rules, fitted = rules_of(options.rules), None
    where = (options.darkline, options.catalog)

    if options.sane:
        wrong = list(wrong_in(list(lab_samples(*where, options.sane, rules)), rules))
        print("\n".join(wrong))
        return 1 if wrong else 0
    if options.keep and os.path.exists(options.keep):
        with open(options.keep, encoding="utf-8") as file:
            training = [Sample(*row[:4], frozenset(row[4]), *row[5:]) for row in map(json.loads, file)]
    else:
        training = list(lab_samples(*where, options.train, rules)) if options.train else []
        training += list(real_samples(*where, options.real, rules)) if options.real and options.train else []
    if options.keep and not os.path.exists(options.keep):
        with open(options.keep, "w", encoding="utf-8") as file:
            file.writelines(json.dumps([*s[:4], sorted(s.fired), *s[5:]]) + "\n" for s in training)
    if training:
        print_disagreements(training, rules)
        fitted = report_training(without_pace(training), rules)
    if options.real:
        print("\n---- CenTrace, from which nothing was learnt")
        report_test("CenTrace", list(centrace_samples(*where, options.real, rules)), rules, fitted)
    if options.fresh:
        print("\n---- recordings from which nothing was learnt")
        fresh = list(lab_samples(*where, options.fresh, rules))
        report_test("fresh", without_pace(fresh), rules, None)
        print_pace(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
