//! What is tried.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, Followee, UserId},
    store::keys::{self, Feed},
};

use crate::{
    Args,
    report::{Answers, Report, at},
    world::{Answer, Person, Result, World},
};

/// Ids of those who are there for one trial.
const STAR: u64 = 1;
const PEOPLE: u64 = 1_000;
const CROWD: u64 = 100_000_000;
/// How long anybody waits for what is to come, in the model's time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks at a steady rate, however long the answers take.
async fn steadily(
    world: &World,
    rate: f64,
    requests: impl Iterator<Item = (&'static str, Person, Value)>,
) -> (Answers, Duration) {
    let begun = Instant::now();
    let each = world.real(Duration::from_secs_f64(1.0 / rate));
    let (mut answers, mut asking) = (Answers::default(), futures_util::stream::FuturesUnordered::new());
    use futures_util::StreamExt as _;
    for (number, (path, by, body)) in requests.enumerate() {
        let due = begun + each * number as u32;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => break,
                Some(answer) = asking.next(), if !asking.is_empty() => answers.add(&answer),
            }
        }
        answers.late = answers.late.max(world.modelled(due.elapsed()));
        asking.push(async move { world.call(path, &by, body).await });
    }
    while let Some(answer) = asking.next().await {
        answers.add(&answer);
    }
    (answers, begun.elapsed())
}

async fn publish(world: &World, by: &Person) -> (Answer, Option<ArticleId>) {
    let answer = world.call("/article_publish", by, json!({"content": "what I saw today"})).await;
    let id = serde_json::from_value::<u64>(answer.body["article_id"].clone()).ok();
    let id = id.or_else(|| answer.body["article_id"].as_str()?.parse().ok()).map(ArticleId);
    (answer, id)
}

/// One publishes once a second until it is over.
async fn publishing(world: &World, by: &Person, over: &AtomicBool) -> Answers {
    let mut answers = Answers::default();
    while !over.load(Ordering::Relaxed) {
        let (answer, _) = publish(world, by).await;
        answers.add(&answer);
        tokio::time::sleep(world.real(Duration::from_secs(1))).await;
    }
    answers
}

fn failed(refusal: shared::domain::Refusal) -> String {
    refusal.to_string()
}

/// Whether a count is that of the records, and theirs the one of those who were told so: who was told to try again may
/// have been heard.
fn counts(world: &World, counted: u64, records: u64, answers: &Answers) -> String {
    let exact = if counted == records { "exactly the records" } else { "NOT the records" };
    let told = answers.done();
    format!("{counted} are counted, {exact} ({records}); {told} were told so; {} instances", world.instances())
}

pub async fn follows(world: &World, args: &Args, report: &mut Report) -> Result<()> {
    let star = world.people(STAR, 1).await?.remove(0);
    let fans = world.people(CROWD, args.rate * args.seconds).await?;
    let ids: Vec<_> = fans.iter().map(|fan| fan.id).collect();
    let last = ids.last().copied().unwrap_or(star.id);
    world.deliver().await?;
    for _ in 0..3 {
        publish(world, &star).await;
    }
    world.model.seen();
    let over = AtomicBool::new(false);
    let followed = async {
        let to = json!({"to_uid": star.id.0});
        let requests = fans.into_iter().map(|fan| ("/user_follow", fan, to.clone()));
        let followed = steadily(world, args.rate as f64, requests).await;
        over.store(true, Ordering::Relaxed);
        followed
    };
    let ((followed, took), published) = tokio::join!(followed, publishing(world, &star, &over));
    let counted = world.app().store.counts(star.id).await.map_err(failed)?.followers;
    let edges = world.app().store.get_each::<_, Value>(ids, |fan| keys::follows(fan, Followee::User(star.id)));
    let edges = edges.await.map_err(failed)?.len() as u64;
    let mut notes = vec![counts(world, counted, edges, &followed)];
    let behind = Instant::now();
    // Who follows in a crowd reads the user's list beside their feed from the first.
    let followee = Followee::User(star.id);
    let beside = keys::always_beside(last, followee);
    let reads = world.app().store.get_each::<_, Value>([last], |_| beside.clone()).await.map_err(failed)?;
    let told = if reads.is_empty() { keys::ahead(followee, last) } else { beside };
    match world.appear([told], PATIENCE).await {
        Some(_) => {
            notes.push(format!("the last is followed up {} ms later", world.modelled(behind.elapsed()).as_millis()))
        }
        None => notes.push("the last is not followed up in 30 s".into()),
    }
    report.add(world, format!("{} follows a second of one user", args.rate), followed, took, true, notes);
    report.add(world, "the user's own articles meanwhile".into(), published, took, false, vec![]);
    Ok(())
}

pub async fn likes(world: &World, args: &Args, report: &mut Report) -> Result<()> {
    let author = world.people(STAR, 1).await?.remove(0);
    let fans = world.people(CROWD, args.rate * args.seconds).await?;
    let ids: Vec<_> = fans.iter().map(|fan| fan.id).collect();
    world.deliver().await?;
    let (_, article) = publish(world, &author).await;
    let article = article.ok_or("no article to like")?;
    world.model.seen();
    let body = json!({"article_id": article.0});
    let requests = fans.into_iter().map(|fan| ("/article_like", fan, body.clone()));
    let (liked, took) = steadily(world, args.rate as f64, requests).await;
    let counted = world.app().store.article(article).await.map_err(failed)?.like_count;
    let marks = world.app().store.get_each::<_, Value>(ids, |fan| keys::mark(fan, article));
    let marks = marks.await.map_err(failed)?.len() as u64;
    let notes = vec![counts(world, counted.unsigned_abs(), marks, &liked)];
    report.add(world, format!("{} likes a second of one article", args.rate), liked, took, true, notes);
    Ok(())
}

/// Authors, and as many followers of each who are theirs alone.
async fn authors(world: &World, count: u64, followers: u64) -> Result<Vec<(Person, UserId)>> {
    let authors = world.people(PEOPLE, count).await?;
    let mut known = vec![];
    for (number, author) in authors.into_iter().enumerate() {
        let first = CROWD + 10_000_000 + number as u64 * followers;
        let ids = (first..first + followers).map(|id| (UserId(id), false, true));
        world.followers(author.id, ids).await?;
        known.push((author, UserId(first + followers - 1)));
    }
    Ok(known)
}

/// Publishes at a steady rate, and looks when it is in the feed of a follower of the author's.
async fn fan_out(
    world: &World,
    rate: f64,
    seconds: u64,
    authors: &[(Person, UserId)],
) -> (Answers, Duration, Vec<Duration>, usize) {
    use futures_util::StreamExt as _;
    let begun = Instant::now();
    let each = world.real(Duration::from_secs_f64(1.0 / rate));
    let total = (rate * seconds as f64) as usize;
    let mut asking = futures_util::stream::FuturesUnordered::new();
    let (mut answers, mut behind, mut missing) = (Answers::default(), vec![], 0);
    // One in so many is looked for: looking takes the machine's time.
    let looked_for = (total / 300).max(1);
    let mut note = |(answer, seen): (Answer, Option<Option<Duration>>), answers: &mut Answers| {
        answers.add(&answer);
        match seen {
            Some(Some(later)) => behind.push(later),
            Some(None) => missing += 1,
            None => {}
        }
    };
    for number in 0..total {
        let due = begun + each * number as u32;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => break,
                Some(done) = asking.next(), if !asking.is_empty() => note(done, &mut answers),
            }
        }
        answers.late = answers.late.max(world.modelled(due.elapsed()));
        let (author, follower) = &authors[number % authors.len()];
        asking.push(async move {
            let (answer, id) = publish(world, author).await;
            let (Some(id), true) = (id, number % looked_for == 0) else { return (answer, None) };
            let published = Instant::now();
            let place = keys::feed_entry(Feed::Articles, *follower, &keys::article_place(id));
            let seen = world.appear([place], PATIENCE).await;
            (answer, Some(seen.map(|seen| world.modelled(seen - published))))
        });
    }
    let took = begun.elapsed();
    while let Some(done) = asking.next().await {
        note(done, &mut answers);
    }
    (answers, took, behind, missing)
}

fn in_feeds(mut behind: Vec<Duration>, missing: usize) -> String {
    let looked_for = behind.len() + missing;
    let [half, most, longest] = [0.5, 0.99, 1.0].map(|part| at(&mut behind, part).as_millis());
    format!(
        "in feeds after {half} ms (median), {most} ms (99 %), {longest} ms (longest) of {looked_for}; {missing} never"
    )
}

pub async fn feeds(world: &World, args: &Args, report: &mut Report) -> Result<()> {
    const FOLLOWERS: u64 = 20;
    let authors = authors(world, 200, FOLLOWERS).await?;
    world.deliver().await?;
    world.model.seen();
    let rate = args.rate as f64 / 2.0;
    let (answers, took, behind, missing) = fan_out(world, rate, args.seconds, &authors).await;
    let what = format!("{rate} publications a second, of authors whom {FOLLOWERS} follow");
    report.add(world, what, answers, took, true, vec![in_feeds(behind, missing)]);
    Ok(())
}

pub async fn star(world: &World, args: &Args, report: &mut Report) -> Result<()> {
    /// Of the star's followers, those who follow sixteen other stars, and so are written to.
    const WRITTEN: u64 = 10_000;
    let star = world.people(STAR, 1).await?.remove(0);
    let reader = world.people(CROWD, 1).await?.remove(0);
    let written = WRITTEN.min(args.followers / 100);
    let followers = (0..args.followers).map(|number| {
        let id = UserId(CROWD + number);
        (id, number == 0 || number > written, id == reader.id)
    });
    let begun = Instant::now();
    world.followers(star.id, followers).await?;
    eprintln!("load: {} followers in {} s", args.followers, begun.elapsed().as_secs());
    let authors = authors(world, 100, 20).await?;
    world.deliver().await?;
    world.model.seen();
    let over = Arc::new(AtomicBool::new(false));
    let stars = async {
        let (mut answers, mut at_once, mut read, mut in_all) = (Answers::default(), 0, vec![], vec![]);
        while !over.load(Ordering::Relaxed) {
            let (answer, id) = publish(world, &star).await;
            answers.add(&answer);
            if let Some(id) = id {
                let shown = world.call("/following_article_list", &reader, json!({"limit": 5})).await;
                read.push(shown.took);
                at_once += usize::from(shown.body.to_string().contains(&id.0.to_string()));
                let published = Instant::now();
                let place = keys::article_place(id);
                let feeds = (1..=written).step_by((written / 50).max(1) as usize);
                let feeds = feeds.map(|number| keys::feed_entry(Feed::Articles, UserId(CROWD + number), &place));
                let there = world.appear(feeds, PATIENCE).await;
                in_all.extend(there.map(|there| world.modelled(there - published)));
            }
            tokio::time::sleep(world.real(Duration::from_secs(5))).await;
        }
        (answers, at_once, read, in_all)
    };
    let others = async {
        let others = fan_out(world, 10.0, args.seconds, &authors).await;
        over.store(true, Ordering::Relaxed);
        others
    };
    let ((answers, at_once, mut read, mut in_all), (theirs, took, behind, missing)) = tokio::join!(stars, others);
    let notes = vec![
        format!(
            "{at_once} of {} are in a follower's list at once, which takes {} ms (median)",
            answers.done(),
            at(&mut read, 0.5).as_millis()
        ),
        format!(
            "in the feeds of {written} who are written to after {} ms (median), {} ms (longest)",
            at(&mut in_all, 0.5).as_millis(),
            at(&mut in_all, 1.0).as_millis()
        ),
    ];
    report.add(world, format!("articles of one whom {} follow", args.followers), answers, took, true, notes);
    let what = "10 articles a second by others meanwhile, whom 20 follow".into();
    report.add(world, what, theirs, took, false, vec![in_feeds(behind, missing)]);
    Ok(())
}
