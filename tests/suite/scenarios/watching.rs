//! A client that watches, checks what it is shown, and resumes by its cursor.

use tidegate_proto::v1::{
    Commit, Execution, ExecutionState, WatchEndReason, WatchRequest, change::Kind,
    execution_service_client::ExecutionServiceClient, watch_response::Message,
};
use tonic::{Streaming, transport::Channel};

/// What a watcher has seen of an execution, across connections.
pub(crate) struct Watcher {
    execution: String,
    revision: u64,
    index: u64,
    /// The state that the stream last told.
    pub(crate) state: ExecutionState,
    /// Every commit, in order.
    pub(crate) commits: Vec<Commit>,
    /// What was said to be outstanding, of all bookmarks.
    pub(crate) outstanding: Vec<String>,
    stream: Option<Streaming<tidegate_proto::v1::WatchResponse>>,
}

impl Watcher {
    /// Has seen nothing yet.
    pub(crate) fn new(execution: &str) -> Self {
        Self {
            execution: execution.to_owned(),
            revision: 0,
            index: 0,
            state: ExecutionState::Pending,
            commits: Vec::new(),
            outstanding: Vec::new(),
            stream: None,
        }
    }

    /// Goes on from the cursor at this gateway.
    pub(crate) async fn connect(&mut self, address: &str) {
        let channel = Channel::from_shared(address.to_owned())
            .expect("an address")
            .connect()
            .await
            .expect("the gateway answers");
        let request = WatchRequest {
            execution: self.execution.clone(),
            after_revision: Some(self.revision),
        };
        let mut client = ExecutionServiceClient::new(channel);
        let stream = client
            .watch(request)
            .await
            .expect("the execution can be watched");
        self.stream = Some(stream.into_inner());
    }

    /// Reads until `done` says so of the newest commit. Every commit must
    /// follow the one before it without gap or repeat.
    pub(crate) async fn until(&mut self, mut done: impl FnMut(&Self, &Commit) -> bool) {
        loop {
            match self.next().await.expect("the stream goes on") {
                Message::Commit(commit) => {
                    self.take(&commit);
                    if done(self, &commit) {
                        return;
                    }
                }
                Message::Header(header) => self.begins_where_it_ended(&header),
                Message::Bookmark(mark) => self.outstanding.extend(mark.outstanding),
                Message::End(end) => panic!("the stream ended: {end:?}"),
            }
        }
    }

    /// Reads until one line of what is outstanding has all these words.
    pub(crate) async fn until_outstanding(&mut self, words: &[&str]) {
        loop {
            match self.next().await.expect("the stream goes on") {
                Message::Commit(commit) => self.take(&commit),
                Message::Header(header) => self.begins_where_it_ended(&header),
                Message::Bookmark(mark) => {
                    let mut lines = mark.outstanding.iter();
                    let is_said = |line: &String| words.iter().all(|word| line.contains(word));
                    if lines.any(is_said) {
                        return;
                    }
                }
                Message::End(end) => panic!("the stream ended: {end:?}"),
            }
        }
    }

    /// Reads to the end of the execution.
    pub(crate) async fn read_to_end(&mut self) {
        self.read_to(WatchEndReason::ExecutionEnded).await;
    }

    /// Reads until the stream ends, which must be for this reason.
    pub(crate) async fn read_to(&mut self, reason: WatchEndReason) {
        while let Some(message) = self.next().await {
            match message {
                Message::Commit(commit) => self.take(&commit),
                Message::Header(header) => self.begins_where_it_ended(&header),
                Message::Bookmark(mark) => self.outstanding.extend(mark.outstanding),
                Message::End(end) => {
                    assert_eq!(end.reason(), reason, "{end:?}");
                    assert_eq!(end.revision, self.revision);
                    return;
                }
            }
        }
        panic!("the stream ended without saying why");
    }

    async fn next(&mut self) -> Option<Message> {
        let stream = self.stream.as_mut().expect("connected");
        let message = stream.message().await.expect("no error");
        message.map(|message| message.message.expect("a message"))
    }

    fn begins_where_it_ended(&self, header: &tidegate_proto::v1::WatchHeader) {
        assert_eq!(header.revision, self.revision);
        assert_eq!(header.change_index, self.index);
    }

    fn take(&mut self, commit: &Commit) {
        assert!(commit.complete, "a small commit comes in one message");
        assert_eq!(commit.revision, self.revision + 1, "gap or repeat");
        self.revision = commit.revision;
        for change in &commit.changes {
            assert_eq!(change.index, self.index + 1, "gap or repeat");
            self.index = change.index;
            if let Some(Kind::Execution(moved)) = &change.kind {
                self.state = moved.state();
            }
        }
        self.commits.push(commit.clone());
    }
}

/// An execution as the gateway shows it.
pub(crate) async fn get(address: &str, execution: &str) -> Execution {
    let mut client = ExecutionServiceClient::connect(address.to_owned())
        .await
        .expect("the gateway answers");
    let request = tidegate_proto::v1::GetExecutionRequest {
        execution: execution.to_owned(),
    };
    let answer = client.get_execution(request).await.expect("it is known");
    answer.into_inner().execution.expect("an execution")
}
