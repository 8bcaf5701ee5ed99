//! Likes, collects, comments and votes on what operators bring, and follows of those whom they bring: the verbs that
//! articles and users have.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{
    domain::{ClothId, Followee, GameId, MasterId, MerchantId, Page, Refusal, Subject, TicketId, UserId},
    store::{
        Mark, Vote,
        keys::{self, Key},
    },
};

use crate::{
    masters::{batch, master, project},
    support::Test,
};

async fn put(test: &Test, key: Key) {
    let item: HashMap<String, AttributeValue> = key.into();
    test.table().put_item().table_name("plaza").set_item(Some(item)).send().await.unwrap();
}

fn count(item: &HashMap<String, AttributeValue>, name: &str) -> u64 {
    item.get(name).map_or(0, |count| count.as_n().unwrap().parse().unwrap())
}

#[tokio::test]
async fn every_subject_is_liked_collected_and_commented_on() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let (anna, bo) = (UserId(test.person("13800138001").await.0), UserId(test.person("13800138002").await.0));
    for subject in [Subject::Game(GameId(7)), Subject::Cloth(ClothId(7)), Subject::Ticket(TicketId(7))] {
        let nothing = Err(Refusal::NoSuch(subject.thing()));
        assert_eq!(store.mark(Mark::Like, anna, subject).await, nothing);
        assert_eq!(store.publish_comment(anna, subject, "hello", None).await.map(drop), nothing);
        assert_eq!(store.comments(anna, subject, Page::first(10)).await.map(drop), nothing);
        assert_eq!(store.unmark(Mark::Like, anna, subject).await, Ok(()));

        match subject {
            Subject::Ticket(ticket) => {
                store.import(&master(1), false).await.unwrap();
                store.import(&project(1, 1), false).await.unwrap();
                store.import_tickets(&batch(ticket.0, 1, 1), false).await.unwrap();
            }
            _ => put(&test, keys::head(subject)).await,
        }
        for user in [anna, bo, anna] {
            test.wait(1);
            store.mark(Mark::Like, user, subject).await.unwrap();
            store.mark(Mark::Collect, user, subject).await.unwrap();
        }
        store.unmark(Mark::Like, bo, subject).await.unwrap();
        let first = store.publish_comment(anna, subject, "hello", None).await.unwrap();
        test.wait(1);
        let long = "long".repeat(250);
        let second = store.publish_comment(bo, subject, &long, Some((first, None))).await.unwrap();
        for vote in [Vote::Up, Vote::Down, Vote::Down] {
            store.vote_on_comment(bo, subject.kind(), first, vote).await.unwrap();
        }
        store.vote_on_comment(anna, subject.kind(), first, Vote::Up).await.unwrap();
        let seen = store.comments(bo, subject, Page::first(10)).await.unwrap();
        let told: Vec<_> = seen.iter().map(|view| (view.comment.id, &*view.comment.content)).collect();
        assert_eq!(told, [(second, &*long), (first, "hello")]);
        assert_eq!(seen[0].reply_author.as_ref().map(|author| author.id), Some(anna));
        let first_one = &seen[1];
        assert_eq!((first_one.comment.up_count, first_one.comment.down_count), (1, 1));
        assert_eq!((first_one.is_up, first_one.is_down), (false, true));

        let head = &test.items().await[&format!("{} / HEAD", keys::subject(subject))];
        let counts = ["like_count", "collect_count", "comment_count"].map(|name| count(head, name));
        assert_eq!(counts, [1, 2, 2]);
        // Nobody but its author deletes a comment here: it stands under nobody's article.
        assert_eq!(store.delete_comments(anna, subject.kind(), &[second].into()).await, Err(Refusal::NotYours));
        store.delete_comments(bo, subject.kind(), &[second].into()).await.unwrap();
        assert_eq!(store.comments(bo, subject, Page::first(10)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn masters_and_merchants_are_followed_as_users_are() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let (anna, bo) = (UserId(test.person("13800138001").await.0), UserId(test.person("13800138002").await.0));
    store.follow(anna, bo).await.unwrap();
    for followee in [Followee::Master(MasterId(7)), Followee::Merchant(MerchantId(7))] {
        assert_eq!(store.follow(anna, followee).await, Err(Refusal::NoSuch(followee.thing())));
        put(&test, keys::followee_head(followee)).await;
        for user in [anna, bo, anna] {
            test.wait(1);
            store.follow(user, followee).await.unwrap();
        }
        assert!(store.is_following(anna, followee).await.unwrap());
        assert_eq!(store.counts(followee).await.unwrap().followers, 2);
        for _ in 0..2 {
            store.unfollow(bo, followee).await.unwrap();
        }
        assert!(!store.is_following(bo, followee).await.unwrap());
        assert_eq!(store.counts(followee).await.unwrap().followers, 1);
    }
    // They count apart, and are no users in anybody's list.
    assert_eq!(store.counts(anna).await.unwrap().follows, 1);
    let users = store.followed_users(anna, Page::first(10)).await.unwrap();
    assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [bo]);
}
