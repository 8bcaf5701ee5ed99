//! How often one user may do what costs others, or the operators, something.
use super::{DAY, HOUR, Millis, Words};
use crate::words;

/// What one user may do only so often, in whichever document: limits that no honest user meets, and no honest burst.
///
/// Counted before it is done, tries that lead to nothing included, in hours and days of UTC: so whoever is at it when one
/// ends may do twice as much within as long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Articles,
    /// And replies, to whatever it is.
    Comments,
    /// That are tied to a user.
    Devices,
    Feedback,
    /// Of users, masters and merchants.
    Follows,
    Galleries,
    /// Likes, collects and hearts.
    Marks,
    Tracks,
    /// Ups and downs.
    Votes,
}

impl Limit {
    pub const ALL: [Self; 9] = [
        Self::Articles,
        Self::Comments,
        Self::Devices,
        Self::Feedback,
        Self::Follows,
        Self::Galleries,
        Self::Marks,
        Self::Tracks,
        Self::Votes,
    ];

    /// The table of all limits: what is done, how often at most, within how long.
    pub const fn of(self) -> (&'static str, u64, Millis) {
        match self {
            Self::Articles => ("articles", 500, DAY),
            Self::Comments => ("comments", 500, HOUR),
            Self::Devices => ("devices", 100, DAY),
            Self::Feedback => ("feedback", 50, DAY),
            Self::Follows => ("follows", 1000, HOUR),
            Self::Galleries => ("galleries", 200, DAY),
            Self::Marks => ("marks", 2000, HOUR),
            Self::Tracks => ("tracks", 1000, HOUR),
            Self::Votes => ("votes", 2000, HOUR),
        }
    }

    /// As the reference and a refusal say it.
    pub fn words(self) -> Words {
        let (_, most, span) = self.of();
        let what = match self {
            Self::Articles => words!("articles", "篇文章"),
            Self::Comments => words!("comments", "条评论"),
            Self::Devices => words!("devices", "台设备"),
            Self::Feedback => words!("pieces of feedback", "条反馈"),
            Self::Follows => words!("follows", "次关注"),
            Self::Galleries => words!("galleries", "个相册"),
            Self::Marks => words!("likes, collects and hearts", "次点赞、收藏和红心"),
            Self::Tracks => words!("reports of where a device is", "次设备位置上报"),
            Self::Votes => words!("ups and downs", "次顶和踩"),
        };
        let span = if span == DAY { words!("a day", "每天") } else { words!("an hour", "每小时") };
        words!("{most} {what} {span}", "{span:#}最多 {most} {what:#}", most = most, what = what, span = span)
    }
}
