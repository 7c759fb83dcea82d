//! Each check, on a history that it must object to, and on one that is only unfortunate.

use super::*;

/// The checks that object to these lines, without the braces.
fn objections(lines: &[&str]) -> Vec<&'static str> {
    let lines: Vec<_> = lines.iter().map(|line| format!("{{{line}}}")).collect();
    let text = lines.join("\n");
    check(&History::read(&text)).violations.into_iter().map(|violation| violation.check).collect()
}

/// The lines of a call that succeeds.
const RUN: [&str; 9] = [
    r#""kind":"call","key":"fail-1","call":1,"amount":1,"at":0"#,
    r#""kind":"claiming","key":"fail-1","owner":"a","lease":500,"at":0"#,
    r#""kind":"claimed","key":"fail-1","owner":"a","token":1,"at":1"#,
    r#""kind":"begin","key":"fail-1","call":1,"token":1,"value":"fail-1|1|1|1","at":2"#,
    r#""kind":"effect","key":"fail-1","call":1,"token":1,"value":"fail-1|1|1|1","at":3"#,
    r#""kind":"fenced","key":"fail-1","token":1,"accepted":true,"at":4"#,
    r#""kind":"completing","key":"fail-1","token":1,"at":5"#,
    r#""kind":"completed","key":"fail-1","token":1,"value":"fail-1|1|1|1","at":6"#,
    r#""kind":"answer","key":"fail-1","call":1,"amount":1,"outcome":"Ok","value":"fail-1|1|1|1","last":true,"at":7"#,
];

fn run_and(more: &[&str]) -> Vec<&'static str> {
    objections(&[&RUN[..], more].concat())
}

#[test]
fn a_run_that_succeeds() {
    assert_eq!(run_and(&[]), [""; 0]);
}

#[test]
fn two_effects() {
    let effect = r#""kind":"effect","key":"fail-1","token":2,"value":"fail-1|1|2|2""#;
    assert_eq!(run_and(&[effect]), ["at most once"]);
}

#[test]
fn a_repeat_without_an_announcement() {
    let [effect, answer] = [
        r#""kind":"effect","key":"rerun-1","token":1,"value":"rerun-1|1|1|1""#,
        r#""kind":"answer","key":"rerun-1","call":1,"amount":1,"outcome":"Ok","value":"rerun-1|1|1|1","last":true"#,
    ];
    assert_eq!(objections(&[effect, effect, answer]), ["repeats are announced"]);
    let repeat = r#""kind":"repeat","key":"rerun-1""#;
    assert_eq!(objections(&[effect, repeat, effect, answer]), [""; 0]);
}

#[test]
fn an_effect_of_a_superseded_owner_after_its_successors() {
    let fenced = |token| {
        format!(r#""kind":"fenced","key":"short-1","token":{token},"accepted":{}"#, token > 0)
    };
    assert_eq!(objections(&[&fenced(2), &fenced(0)]), [""; 0]);
    assert_eq!(objections(&[&fenced(2), &fenced(1)]), ["fences hold", "fences hold"]);
}

#[test]
fn another_answer() {
    let answer = r#""kind":"answer","key":"fail-1","call":2,"amount":1,"outcome":"Ok","value":"fail-1|1|2|2","at":9"#;
    let effect = r#""kind":"effect","key":"fail-1","token":2,"value":"fail-1|1|2|2""#;
    let found = run_and(&[effect, answer]);
    assert_eq!(found, ["at most once", "one answer"]);
}

#[test]
fn an_own_answer_that_the_store_has_not_taken_in_time() {
    let lines = |at| {
        [
            r#""kind":"effect","key":"rerun-1","token":1,"value":"rerun-1|1|1|1""#.to_owned(),
            r#""kind":"completing","key":"rerun-1","token":1,"at":10"#.to_owned(),
            r#""kind":"repeat","key":"rerun-1""#.to_owned(),
            r#""kind":"effect","key":"rerun-1","token":2,"value":"rerun-1|1|2|2""#.to_owned(),
            r#""kind":"completed","key":"rerun-1","token":2,"value":"rerun-1|1|2|2""#.to_owned(),
            format!(
                r#""kind":"answer","key":"rerun-1","call":1,"amount":1,"outcome":"Ok","value":"rerun-1|1|1|1","last":true,"at":{at}"#
            ),
        ]
    };
    let objections = |at| objections(&lines(at).each_ref().map(|line| &**line));
    assert_eq!(objections(10 + PATIENCE), [""; 0]);
    assert_eq!(objections(12), ["one answer"]);
}

#[test]
fn a_success_that_nobody_has_seen() {
    let without_effect: Vec<_> =
        RUN.into_iter().filter(|line| !line.contains(r#""kind":"effect""#)).collect();
    assert_eq!(objections(&without_effect), ["no phantom success"]);
}

#[test]
fn a_completion_that_is_forgotten() {
    let call = r#""kind":"call","key":"fail-1","call":2,"amount":1,"at":9000"#;
    let begin = r#""kind":"begin","key":"fail-1","call":2,"value":"fail-1|1|2|2","at":9001"#;
    assert_eq!(run_and(&[call, begin]), ["completions survive"]);
    // It may have claimed the key before, and been stopped.
    assert_eq!(objections(&[&[call], &RUN[..], &[begin]].concat()), [""; 0]);
}

#[test]
fn a_token_that_does_not_rise() {
    let claiming = r#""kind":"claiming","key":"fail-1","owner":"b","lease":500,"at":9000"#;
    let claimed =
        |token| format!(r#""kind":"claimed","key":"fail-1","owner":"b","token":{token},"at":9001"#);
    assert_eq!(run_and(&[claiming, &claimed(2)]), [""; 0]);
    assert_eq!(run_and(&[claiming, &claimed(1)]), ["tokens rise"]);
    assert_eq!(run_and(&[claiming, &claimed(0)]), ["tokens rise"]);
    // It has overlapped with the other, and may have been made before it.
    assert_eq!(objections(&[&[claiming], &RUN[..], &[&*claimed(0)]].concat()), [""; 0]);
}

#[test]
fn an_owner_that_lives_and_is_superseded() {
    let claiming = r#""kind":"claiming","key":"fail-1","owner":"b","lease":500,"at":400"#;
    let claimed =
        |at| format!(r#""kind":"claimed","key":"fail-1","owner":"b","token":2,"at":{at}"#);
    // Of those that are still running.
    let running = |more: &[&str]| objections(&[&RUN[..6], more, &RUN[8..]].concat());
    assert_eq!(running(&[claiming, &claimed(499)]), ["no takeover of the living"]);
    assert_eq!(running(&[claiming, &claimed(500)]), [""; 0]);
    let renewed = [
        r#""kind":"writing","key":"fail-1","token":1,"operation":"renew","at":300"#,
        r#""kind":"written","key":"fail-1","token":1,"operation":"renew","at":301"#,
    ];
    let late = claimed(799);
    let found = running(&[renewed[0], renewed[1], claiming, &late]);
    assert_eq!(found, ["no takeover of the living"]);
    assert_eq!(running(&[renewed[0], claiming, &late]), [""; 0], "it may not have been renewed");
}

#[test]
fn a_key_that_is_stuck() {
    let answer = |key, outcome| {
        format!(r#""kind":"answer","key":"{key}","call":1,"outcome":"{outcome}","last":true"#)
    };
    assert_eq!(objections(&[&answer("rerun-1", "InProgress")]), ["liveness"]);
    assert_eq!(objections(&[&answer("rerun-1", "Interrupted")]), ["liveness"]);
    assert_eq!(objections(&[&answer("fail-1", "Interrupted")]), [""; 0]);
    assert_eq!(objections(&[&answer("fail-1", "KeyMismatch")]), ["liveness"]);
}

#[test]
fn a_mismatch_that_gets_the_result() {
    let answer = r#""kind":"answer","key":"fail-1","call":2,"amount":2,"outcome":"Ok","value":"fail-1|1|1|1","at":9"#;
    assert_eq!(run_and(&[answer]), ["a mismatch has no result"]);
}
