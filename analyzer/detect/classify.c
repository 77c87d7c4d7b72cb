// SPDX-License-Identifier: GPL-3.0-or-later
#include "analyzer/detect/classify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

/* ---- writing into an event ---- */

void classify_add_rule(struct event *event, const char *id)
{
    const struct detect_rule *rule = detect_rule_find(id);

    for (unsigned i = 0; i < event->rule_count; i++)
        if (event->rules[i] == (rule ? rule->id : NULL))
            return;
    if (rule && event->rule_count < ANALYSIS_RULES_MAX)
        event->rules[event->rule_count++] = rule->id;
}

void classify_explain(struct event *event, const char *format, ...)
{
    size_t used = strlen(event->explanation);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(event->explanation + used, sizeof(event->explanation) - used, format, arguments);
    va_end(arguments);
}

void classify_add_control(struct event *event, const char *kind, const char *name,
                          const struct context_tally *tally, enum context_verdict verdict)
{
    if (event->control_count == ANALYSIS_CONTROLS_MAX)
        return;
    struct analysis_control *control = &event->controls[event->control_count++];
    control->kind = kind;
    snprintf(control->name, sizeof(control->name), "%s", name);
    control->attempts = tally->attempts;
    control->failures = tally->failures;
    control->verdict = context_verdict_text(verdict);
}

/* ---- the question behind each rule ---- */

struct question {
    const struct candidate *candidate;
    const struct context *context;
    struct event *event;
    bool proven, silent, carrier_good, works_elsewhere;
};

static bool is_one_line(const struct question *question)
{
    return question->candidate->voices < CLASSIFY_VOICES;
}

/* One voice may say something of its own line, when packets prove it and a day has gone by. */
static bool one_line_suffices(const struct question *question)
{
    const struct candidate *c = question->candidate;
    const struct context_tally *controls = &question->context->controls;
    uint64_t good = controls->attempts - controls->failures;

    if (controls->attempts == 0)
        good = question->context->others.attempts - question->context->others.failures;
    return !c->imported && c->failures >= CLASSIFY_LINE_FAILED && c->good_attempts == 0 &&
           c->bad_days >= CLASSIFY_LINE_DAYS && c->bad_to_us - c->bad_from_us >= CLASSIFY_LINE_US &&
           good >= CLASSIFY_LINE_CONTROL && question->proven && c->kind == SERIES_FAILED;
}

static enum classify_result above_floors(const struct question *question)
{
    const struct candidate *c = question->candidate;

    if (is_one_line(question))
        return one_line_suffices(question) ? CLASSIFY_EVENT : CLASSIFY_TOO_LITTLE;
    if (c->failing_voice_hours < CLASSIFY_VOICE_HOURS - 1e-6)
        return CLASSIFY_TOO_LITTLE;
    if (c->vantages == 1 && c->lines_good > 0)
        return CLASSIFY_ONE_PROBE;
    return CLASSIFY_EVENT;
}

/* The server says no to this carrier alone, or the clients break off: nobody between them need be. */
static bool is_by_ends(const struct question *question)
{
    const struct candidate *c = question->candidate;

    return !question->proven && c->kind == SERIES_FAILED &&
           (double)c->by_ends >= CLASSIFY_BY_ENDS * (double)c->failures;
}

static bool everywhere_at_once(const struct question *question)
{
    return question->context->carriers_bad > 0 && question->context->carriers_good == 0 &&
           question->candidate->synchronous;
}

/* What it is, where something between the ends is not proven to do it. */
static enum event_class class_of_unproven(const struct question *question)
{
    const struct context *context = question->context;
    bool alone = context->carriers_good + context->carriers_bad == 0;

    if (context->abroad_verdict == CONTEXT_BAD)
        return EVENT_OUTAGE;
    if (context->carriers_good > 0 || (context->carriers_bad > 0 && !everywhere_at_once(question)))
        return EVENT_BLOCKED;
    if (alone && context->abroad_verdict != CONTEXT_GOOD_VERDICT)
        return EVENT_OUTAGE; /* nobody else was asked */
    return question->silent ? EVENT_UNREACHABLE : EVENT_WITHDRAWN;
}

static enum event_class class_of(const struct question *question)
{
    if (question->candidate->kind == SERIES_SLOWED)
        return EVENT_THROTTLED;
    return question->proven ? EVENT_BLOCKED : class_of_unproven(question);
}

/* Nothing proves who: a router can be silent, and a server may refuse one carrier's addresses. */
static bool wants_agreement(const struct question *question)
{
    return !question->proven && question->candidate->kind == SERIES_FAILED;
}

static enum event_grade grade_of(const struct question *question, enum event_class class)
{
    const struct context *context = question->context;
    bool abroad_known =
        context->abroad_verdict == CONTEXT_GOOD_VERDICT || context->abroad_verdict == CONTEXT_BAD;

    if (is_one_line(question) || !question->carrier_good)
        return GRADE_LIKELY;
    switch (class) {
    case EVENT_WITHDRAWN:
    case EVENT_UNREACHABLE:
        return context->abroad_verdict == CONTEXT_GOOD_VERDICT && context->carriers_bad > 0
                   ? GRADE_CONFIRMED
                   : GRADE_LIKELY;
    case EVENT_OUTAGE:
        return abroad_known ? GRADE_CONFIRMED : GRADE_LIKELY;
    case EVENT_BLOCKED:
        if (wants_agreement(question))
            return GRADE_LIKELY;
        break;
    default:
        break;
    }
    return question->works_elsewhere ? GRADE_CONFIRMED : GRADE_LIKELY;
}

/* ---- what is told of it ---- */

static void tell_controls(const struct question *question)
{
    const struct context *context = question->context;
    struct event *event = question->event;
    enum context_verdict here =
        context_judge(&context->controls, question->candidate->segment.share);
    enum context_verdict others =
        context_judge(&context->others, question->candidate->segment.share);
    enum context_verdict country = context->carriers_good > 0  ? CONTEXT_GOOD_VERDICT
                                   : context->carriers_bad > 0 ? CONTEXT_BAD
                                                               : CONTEXT_INSUFFICIENT;

    classify_add_control(event, "same-carrier", "controls", &context->controls, here);
    classify_add_control(event, "same-carrier", "other services", &context->others, others);
    classify_add_control(event, "same-country", "other carriers", &context->country, country);
    classify_add_control(event, "abroad", "other countries", &context->abroad,
                         context->abroad_verdict);
    classify_add_rule(event, question->carrier_good ? "controls-good" : "no-control-here");
    if (context->carriers_good > 0)
        classify_add_rule(event, "works-elsewhere");
    else if (context->carriers_bad == 0)
        classify_add_rule(event, "no-control-country");
    if (context->abroad_verdict == CONTEXT_GOOD_VERDICT)
        classify_add_rule(event, "works-abroad");
    else
        classify_add_rule(event, context->abroad_verdict == CONTEXT_BAD ? "down-abroad"
                                                                        : "no-control-abroad");
}

static void tell_rules(const struct question *question)
{
    const struct candidate *c = question->candidate;
    struct event *event = question->event;

    classify_add_rule(event, c->kind == SERIES_SLOWED ? "slowed-down" : "failing-stretch");
    if (c->segment.has_hours)
        classify_add_rule(event, "keeps-hours");
    if (c->segment.at_first_sight)
        classify_add_rule(event, "first-sight");
    if (question->proven)
        classify_add_rule(event, "proven-third-party");
    else if (question->silent && c->kind == SERIES_FAILED)
        classify_add_rule(event, "silence");
    if (is_one_line(question))
        classify_add_rule(event, "one-line");
    if (everywhere_at_once(question))
        classify_add_rule(event, "everywhere-at-once");
    else if (question->context->carriers_bad > 0)
        classify_add_rule(event, "second-carrier");
    if (event->class == EVENT_WITHDRAWN)
        classify_add_rule(event, "own-words");
    tell_controls(question);
}

static const char *missing_of(const struct context *context, bool carrier_good)
{
    if (!carrier_good)
        return " No other service was seen on this carrier at that time, so a fault of the whole "
               "line is not excluded.";
    if (context->carriers_good + context->carriers_bad == 0)
        return " No other carrier of the country was seen at that time.";
    if (context->abroad_verdict == CONTEXT_INSUFFICIENT)
        return " Nobody abroad was seen trying the service at that time.";
    return "";
}

static void tell_in_words(const struct question *question)
{
    static const char *const meanings[] = {
        [EVENT_BLOCKED] = "something between the ends stops it on this carrier.",
        [EVENT_THROTTLED] = "something between the ends slows it down on this carrier.",
        [EVENT_WITHDRAWN] = "the service's own packets refuse this country.",
        [EVENT_UNREACHABLE] = ("every carrier seen in this country fell silent towards it; packets "
                               "cannot say whether a gateway or the provider did it."),
        [EVENT_OUTAGE] = "it was down elsewhere too, or nobody elsewhere could be asked.",
        [EVENT_SHUTDOWN] = "",
        [EVENT_VANISHED] = "",
    };
    const struct candidate *c = question->candidate;
    struct event *event = question->event;
    const struct context *context = question->context;

    classify_explain(
        event, "%" PRIu64 " of %" PRIu64 " attempts %s, before %" PRIu64 " of %" PRIu64 ". %s %s",
        c->failures, c->attempts, c->kind == SERIES_SLOWED ? "were slowed down" : "failed",
        c->baseline_failures, c->baseline_attempts,
        event->grade == GRADE_CONFIRMED ? "As far as packets and controls show," : "It looks as if",
        meanings[event->class]);
    if (event->class == EVENT_BLOCKED && wants_agreement(question))
        classify_explain(event, " The packets do not prove who does it.");
    if (event->grade == GRADE_LIKELY)
        classify_explain(event, "%s", missing_of(context, question->carrier_good));
}

enum classify_result classify_candidate(const struct candidate *candidate, struct event *ret_event)
{
    const struct context *context = &candidate->context;
    struct question question = {
        .candidate = candidate,
        .context = context,
        .event = ret_event,
        .proven = candidate->kind == SERIES_FAILED && candidate->failures > 0 &&
                  (double)candidate->proven >= CLASSIFY_PROVEN * (double)candidate->failures,
        .silent = candidate->silent_share >= CLASSIFY_SILENT,
        .carrier_good = context->same_carrier == CONTEXT_GOOD_VERDICT,
        .works_elsewhere =
            context->carriers_good > 0 || context->abroad_verdict == CONTEXT_GOOD_VERDICT,
    };
    enum classify_result result = above_floors(&question);

    if (result != CLASSIFY_EVENT)
        return result;
    if (context->same_carrier == CONTEXT_BAD && !question.proven)
        return CLASSIFY_CARRIER_WIDE;
    /* Small flows of the controls are never slow: several slow services are a slow line. */
    if (candidate->kind == SERIES_SLOWED && context->services_bad >= CLASSIFY_SLOW_SERVICES)
        return CLASSIFY_CARRIER_WIDE;
    if (candidate->elsewhere_later && !question.proven)
        return CLASSIFY_UNCLEAR;
    if (context->same_carrier == CONTEXT_MIXED && !question.proven && !question.works_elsewhere)
        return CLASSIFY_UNCLEAR;
    ret_event->class = class_of(&question);
    if (ret_event->class == EVENT_BLOCKED && is_by_ends(&question))
        return CLASSIFY_UNCLEAR;
    ret_event->grade = grade_of(&question, ret_event->class);
    ret_event->scope = is_one_line(&question) ? SCOPE_LINE : SCOPE_CARRIER;
    ret_event->wants_agreement = ret_event->class == EVENT_BLOCKED && wants_agreement(&question) &&
                                 !is_one_line(&question) && question.carrier_good &&
                                 question.works_elsewhere;
    tell_rules(&question);
    tell_in_words(&question);
    return CLASSIFY_EVENT;
}
