//! Counts that a crowd changes at once: split in the middle of it, exact all the same, and gone with their subject.
use std::{sync::Arc, time::Duration};

use local::model::{Limits, Model};
use serde_json::json;
use shared::{
    App,
    domain::{ArticleId, Followee, GameId, MasterId, Page, Refusal, Subject, Thing, UserId},
    function,
    outside::aws,
    store::{
        Mark,
        keys::{self, Key},
    },
};

use crate::{
    catalogue::{imported, of_kind, with},
    faults::items,
    support::{Gate, Test, together},
};

const CROWD: u64 = 24;
/// What counts are split into.
const SHARDS: usize = 32;

/// Where transactions meet, and nothing else is in the way.
fn model() -> Model {
    const PLENTY: f64 = 1e9;
    Model::new(Limits {
        transaction: Duration::from_millis(6),
        write: Duration::from_millis(1),
        read: Duration::from_millis(1),
        lag: Duration::from_millis(5),
        partition_writes: PLENTY,
        partition_reads: PLENTY,
        table_writes: PLENTY,
        table_reads: PLENTY,
    })
}

/// Some people, of whom the first wrote an article.
async fn stage(test: &Test) -> (Vec<UserId>, ArticleId) {
    let mut people = vec![];
    for number in 0..CROWD {
        people.push(UserId(test.person(&format!("1380013{number:04}")).await.0));
    }
    let article = test.plaza.app.store.publish_article(people[0], "look", vec![]).await.unwrap();
    (people, article)
}

/// Each of them does it, all at once; none is refused.
async fn all<F: Future<Output = Result<(), Refusal>> + Send + 'static>(
    test: &Test,
    people: &[UserId],
    deed: impl Fn(Arc<App>, UserId) -> F,
) {
    let done = together(people.iter().map(|user| deed(test.plaza.app.clone(), *user))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
}

async fn like(test: &Test, people: &[UserId], subject: impl Into<Subject>) {
    let subject = subject.into();
    all(test, people, |app, user| async move { app.store.mark(Mark::Like, user, subject).await }).await;
}

async fn unlike(test: &Test, people: &[UserId], subject: impl Into<Subject>) {
    let subject = subject.into();
    all(test, people, |app, user| async move { app.store.unmark(Mark::Like, user, subject).await }).await;
}

async fn follow(test: &Test, people: &[UserId], followee: impl Into<Followee>) {
    let followee = followee.into();
    all(test, people, |app, user| async move { app.store.follow(user, followee).await }).await;
}

async fn unfollow(test: &Test, people: &[UserId], followee: impl Into<Followee>) {
    let followee = followee.into();
    all(test, people, |app, user| async move { app.store.unfollow(user, followee).await }).await;
}

/// The shards of an item with counts.
async fn shards(test: &Test, counts: &Key) -> Vec<String> {
    let prefix = format!("{} / ", keys::shards(counts));
    test.items().await.into_keys().filter(|key| key.starts_with(&prefix)).collect()
}

/// A crowd that was there comes again until it has split the counts: at which time it does, chance says.
async fn until_split(test: &Test, counts: &Key, come_again: impl AsyncFn()) {
    for _ in 0..20 {
        if !shards(test, counts).await.is_empty() {
            break;
        }
        come_again().await;
    }
    assert_eq!(shards(test, counts).await.len(), SHARDS, "{counts:?}");
}

/// All of them like it at once, and its counts are split.
async fn crowd_likes(test: &Test, people: &[UserId], subject: impl Into<Subject>) {
    let subject = subject.into();
    like(test, people, subject).await;
    until_split(test, &keys::head(subject), async || {
        unlike(test, people, subject).await;
        like(test, people, subject).await;
    })
    .await;
}

/// All of them follow at once, and the counts of followers are split.
async fn crowd_follows(test: &Test, people: &[UserId], followee: impl Into<Followee>) {
    let followee = followee.into();
    follow(test, people, followee).await;
    until_split(test, &keys::counts(followee), async || {
        unfollow(test, people, followee).await;
        follow(test, people, followee).await;
    })
    .await;
}

async fn likes(test: &Test, article: ArticleId) -> i64 {
    test.plaza.app.store.article(article).await.unwrap().like_count
}

/// A function of its own, which knows nothing of what others have met.
fn another(test: &Test) -> Arc<App> {
    let environment = test.plaza.environment.clone();
    App::new(Box::new(move |name| environment.get(name).cloned()), function::system(), aws::http_client()).unwrap()
}

#[tokio::test]
async fn a_crowd_at_an_article_splits_its_counts() {
    let test = Test::crowded(&model()).await;
    let (people, article) = stage(&test).await;
    let (head, store) = (keys::head(article), &test.plaza.app.store);
    like(&test, &people[..1], article).await;
    assert_eq!(shards(&test, &head).await.len(), 0);

    crowd_likes(&test, &people, article).await;
    assert_eq!(likes(&test, article).await, 24);
    // Wherever it is shown.
    let author = people[0];
    let detail = store.article_detail(author, article).await.unwrap();
    let all = store.articles(author, Page::first(1)).await.unwrap().remove(0);
    let own = store.own_articles(author, Page::first(1)).await.unwrap().remove(0);
    assert_eq!([detail.view.article, all.article, own.article].map(|article| article.like_count), [24; 3]);

    // They come and go, likes and collects.
    let (some, others) = people.split_at(7);
    let collects = async |people: &[UserId]| {
        let collect = |app: Arc<App>, user| async move { app.store.mark(Mark::Collect, user, article).await };
        self::all(&test, people, collect).await;
    };
    tokio::join!(unlike(&test, some, article), like(&test, others, article), collects(&people));
    assert_eq!(likes(&test, article).await, 17);
    let collected = store.collected_articles(people[3], Page::first(1)).await.unwrap();
    assert_eq!((collected[0].like_count, collected[0].collect_count), (17, 24));
    items(&test).await;

    // Who does not know that they are split counts where it always was, even below nothing.
    let other = another(&test);
    for user in &people {
        other.store.unmark(Mark::Like, *user, article).await.unwrap();
    }
    assert_eq!(likes(&test, article).await, 0);
    other.store.mark(Mark::Like, people[5], article).await.unwrap();
    assert_eq!(other.store.article(article).await.unwrap().like_count, 1);
    items(&test).await;
}

#[tokio::test]
async fn an_article_that_a_crowd_likes_goes_with_its_counts() {
    let test = Test::crowded(&model()).await;
    let (people, article) = stage(&test).await;
    crowd_likes(&test, &people, article).await;
    let store = &test.plaza.app.store;
    // While the crowd goes on.
    let ids = [article].into();
    let (deleted, ..) = tokio::join!(
        store.delete_articles(people[0], &ids),
        together(people.iter().map(|user| {
            let (app, user) = (test.plaza.app.clone(), *user);
            async move {
                let _ = app.store.unmark(Mark::Like, user, article).await;
                let _ = app.store.mark(Mark::Collect, user, article).await;
            }
        })),
    );
    assert_eq!(deleted, Ok(()));
    for app in [&test.plaza.app, &another(&test)] {
        let gone = app.store.mark(Mark::Like, people[1], article).await;
        assert_eq!(gone, Err(Refusal::NoSuch(Thing::Article)));
        assert_eq!(app.store.unmark(Mark::Like, people[2], article).await, Ok(()));
    }
    test.plaza.deliver().await.unwrap();
    let left = test.items().await;
    let about = keys::subject(article.into());
    assert_eq!(left.keys().find(|key| key.starts_with(&about)), None);
    items(&test).await;
}

#[tokio::test]
async fn what_a_deletion_left_of_it_is_cleared_away() {
    let test = Test::crowded(&model()).await;
    let (people, article) = stage(&test).await;
    crowd_likes(&test, &people, article).await;
    let gate = Gate::default();
    test.line.hold_at(Some(gate.clone()));
    let (app, author) = (test.plaza.app.clone(), people[0]);
    let mut deletion = gate.work(async move { app.store.delete_articles(author, &[article].into()).await });
    // The reads, then the article; the shards are not reached.
    assert!(deletion.step().await.is_none());
    assert!(deletion.step().await.is_none());
    deletion.die_after_step().await;
    test.line.hold_at(None);
    assert_eq!(shards(&test, &keys::head(article)).await.len(), SHARDS);
    test.plaza.deliver().await.unwrap();
    assert_eq!(shards(&test, &keys::head(article)).await.len(), 0);
    assert_eq!(test.plaza.app.store.mark(Mark::Like, people[1], article).await, Err(Refusal::NoSuch(Thing::Article)));
    items(&test).await;
}

#[tokio::test]
async fn an_article_that_a_crowd_likes_is_taken_down() {
    let test = Test::crowded(&model()).await;
    let (people, article) = stage(&test).await;
    crowd_likes(&test, &people, article).await;
    imported(&test, [json!({"kind": "takedown", "article_id": article.0})]).await;
    assert_eq!(shards(&test, &keys::head(article)).await.len(), 0);
    let gone = test.plaza.app.store.mark(Mark::Collect, people[1], article).await;
    assert_eq!(gone, Err(Refusal::NoSuch(Thing::Article)));
}

#[tokio::test]
async fn a_crowd_that_follows_does_not_keep_a_star_from_publishing() {
    let test = Test::crowded(&model()).await;
    let (people, _) = stage(&test).await;
    let (star, fans) = (people[0], &people[1..]);
    let store = &test.plaza.app.store;
    follow(&test, &fans[..3], star).await;
    let publish = async || {
        for _ in 0..5 {
            store.publish_article(star, "again", vec![]).await.unwrap();
        }
    };
    tokio::join!(crowd_follows(&test, fans, star), publish());
    let counts = store.counts(star).await.unwrap();
    assert_eq!((counts.articles, counts.followers, counts.follows), (6, 23, 0));

    // Some leave, by whoever knows of the shards and whoever does not.
    let other = another(&test);
    for user in &fans[..9] {
        other.store.unfollow(*user, star).await.unwrap();
    }
    unfollow(&test, &fans[5..20], star).await;
    assert_eq!(store.counts(star).await.unwrap().followers, 3);
    // What the star does is counted as ever.
    store.follow(star, fans[0]).await.unwrap();
    assert_eq!(other.store.counts(star).await.unwrap().follows, 1);
    items(&test).await;
}

#[tokio::test]
async fn who_follows_in_a_crowd_reads_the_list_of_whom_they_follow() {
    let test = Test::crowded(&model()).await;
    let (people, _) = stage(&test).await;
    let (star, fans) = (people[0], &people[1..]);
    crowd_follows(&test, fans, star).await;
    test.plaza.deliver().await.unwrap();
    let store = &test.plaza.app.store;
    let newcomer = UserId(test.person("13800138999").await.0);
    let beside = async || {
        let kinds = ["ALWAYS", "LATELY", "AHEAD"].map(|kind| (kind, format!("{:016}", newcomer.0)));
        let items = test.items().await;
        kinds.map(|(kind, of)| items.keys().any(|key| key.contains(kind) && key.contains(&of)))
    };
    let shown = async || store.followed_articles(newcomer, Page::first(9)).await.unwrap().len();

    // Nothing is left to be done for them.
    store.follow(newcomer, star).await.unwrap();
    assert_eq!((beside().await, shown().await), ([true, false, false], 1));
    let before = items(&test).await;
    test.plaza.deliver().await.unwrap();
    assert_eq!(items(&test).await, before);
    store.publish_article(star, "for all of you", vec![]).await.unwrap();
    assert_eq!(shown().await, 2);

    // They leave and come back before that was followed up, and leave for good.
    store.unfollow(newcomer, star).await.unwrap();
    assert_eq!((beside().await, shown().await), ([true, true, false], 0));
    store.follow(newcomer, star).await.unwrap();
    assert_eq!((beside().await, shown().await), ([true, false, false], 2));
    test.plaza.deliver().await.unwrap();
    assert_eq!((beside().await, shown().await), ([true, false, false], 2));
    store.unfollow(newcomer, star).await.unwrap();
    test.plaza.deliver().await.unwrap();
    assert_eq!((beside().await[0], shown().await), (false, 0));
    items(&test).await;

    // Who counted where it always was comes to the same a moment later.
    another(&test).store.follow(newcomer, star).await.unwrap();
    assert_eq!((beside().await, shown().await), ([false, true, false], 2));
    test.plaza.deliver().await.unwrap();
    assert_eq!((beside().await, shown().await), ([true, false, false], 2));

    // Whoever reads as many lists as they can is written to.
    let other = UserId(test.person("13800138998").await.0);
    for list in 1..=16 {
        let followee = Followee::User(UserId(list));
        store.put(keys::always_beside(other, followee), &json!({"followee": followee})).await.unwrap();
    }
    store.follow(other, star).await.unwrap();
    test.plaza.deliver().await.unwrap();
    let ahead = keys::ahead(star.into(), other);
    assert!(test.items().await.contains_key(&format!("{} / {}", ahead.pk, ahead.sk)));
}

#[tokio::test]
async fn content_is_withdrawn_with_its_shards_and_comes_back_with_them() {
    let test = Test::crowded(&model()).await;
    let (people, _) = stage(&test).await;
    let (master, game) = (of_kind("master"), of_kind("game"));
    imported(&test, [master.clone(), game.clone()]).await;
    let of_master: MasterId = serde_json::from_value(master["master_id"].clone()).unwrap();
    let of_game = GameId(game["game_id"].as_u64().unwrap());
    let counted = [keys::counts(of_master), keys::head(of_game)];
    let (some, others) = people.split_at(12);
    // In the middle of their being withdrawn.
    let crowd = together(some.iter().map(|user| {
        let (app, user) = (test.plaza.app.clone(), *user);
        async move {
            let _ = app.store.follow(user, of_master).await;
            let _ = app.store.mark(Mark::Like, user, of_game).await;
        }
    }));
    let withdrawn = || [&master, &game].map(|record| with(record, "withdrawn", true.into()));
    tokio::join!(crowd, imported(&test, withdrawn()));
    let closed = async || {
        let newcomer = UserId(1);
        let items = test.items().await;
        for counts in &counted {
            for shard in shards(&test, counts).await {
                assert!(items[&shard].contains_key("withdrawn"), "{shard}");
            }
        }
        for app in [&test.plaza.app, &another(&test)] {
            assert_eq!(app.store.follow(newcomer, of_master).await, Err(Refusal::NoSuch(Thing::Master)));
            assert_eq!(app.store.mark(Mark::Like, newcomer, of_game).await, Err(Refusal::NoSuch(Thing::Game)));
        }
    };
    closed().await;

    imported(&test, [master.clone(), game.clone()]).await;
    for people in [some, others] {
        tokio::join!(follow(&test, people, of_master), like(&test, people, of_game));
    }
    tokio::join!(crowd_follows(&test, &people, of_master), crowd_likes(&test, &people, of_game));
    assert_eq!(test.plaza.app.store.counts(of_master).await.unwrap().followers, 24);
    items(&test).await;

    imported(&test, withdrawn()).await;
    closed().await;
    // One may leave what is withdrawn, and nothing comes of it that stays.
    test.plaza.app.store.unfollow(people[0], of_master).await.unwrap();
    test.plaza.app.store.unmark(Mark::Like, people[0], of_game).await.unwrap();
    assert_eq!(test.plaza.app.store.counts(of_master).await.unwrap().followers, 23);
    items(&test).await;
}
