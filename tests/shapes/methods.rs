//! Methods with each kind of receiver, in types, in traits, and under `#[async_trait]`.

use std::{pin::Pin, rc::Rc, sync::Arc};

use async_trait::async_trait;
use steadfast::{deadline, retry, retry::RetryBudget};

use super::{Answer, Peer, sent};

#[derive(Debug, Default)]
struct Client<const N: usize = 1> {
    peer: Peer,
    log: Vec<u32>,
    budget: RetryBudget,
}

impl<const N: usize> Client<N> {
    #[deadline("1m")]
    #[retry(budget = self.budget)]
    async fn by_reference(&self, name: &str) -> Answer<(u32, usize)> {
        Ok((self.peer.call()?, name.len()))
    }

    #[retry(budget = self.budget)]
    #[deadline("1s")]
    async fn changing(&mut self, mut number: u32) -> Answer<usize> {
        number += 1;
        self.log.push(number);
        self.peer.call()?;
        Ok(self.log.len())
    }

    #[retry]
    async fn by_value(self) -> Answer<u32> {
        self.peer.call()
    }

    #[deadline("1m")]
    #[retry]
    async fn shared(self: Arc<Self>, times: u32) -> Answer<u32> {
        Ok(times * self.peer.call()?)
    }

    #[retry]
    async fn not_sent(self: Rc<Self>) -> Answer<u32> {
        self.peer.call()
    }

    #[retry]
    async fn boxed(self: Box<Self>) -> Answer<u32> {
        self.peer.call()
    }

    #[deadline("1m")]
    #[retry]
    async fn pinned(mut self: Pin<&mut Self>) -> Answer<usize> {
        self.as_mut().get_mut().log.push(1);
        self.peer.call()?;
        Ok(self.log.len())
    }

    #[retry]
    async fn made(peer: &Peer) -> Answer<Self> {
        peer.call()?;
        Ok(Self { peer: Peer::default(), log: vec![], budget: RetryBudget::new() })
    }

    #[deadline("1m")]
    async fn lends(&mut self, log: u32) -> Answer<&mut Vec<u32>> {
        self.log.push(log);
        Ok(&mut self.log)
    }
}

#[tokio::test(start_paused = true)]
async fn each_receiver() {
    let client = Client::<1>::default;
    assert_eq!(sent(client().by_reference("name")).await, Ok((3, 4)));
    assert_eq!(sent(client().changing(1)).await, Ok(3));
    assert_eq!(sent(client().by_value()).await, Ok(3));
    assert_eq!(sent(Arc::new(client()).shared(2)).await, Ok(6));
    assert_eq!(Rc::new(client()).not_sent().await, Ok(3));
    assert_eq!(sent(Box::new(client()).boxed()).await, Ok(3));
    assert_eq!(sent(Pin::new(&mut client()).pinned()).await, Ok(3));
    assert!(sent(Client::<2>::made(&Peer::default())).await.is_ok());
    assert_eq!(sent(client().lends(7)).await, Ok(&mut vec![7]));
}

trait Service {
    fn peer(&self) -> &Peer;

    #[deadline("1m")]
    #[retry]
    async fn provided(&self, mut by: u32) -> Answer<u32> {
        by += 1;
        Ok(by * self.peer().call()?)
    }

    async fn required(&mut self) -> Answer<u32>;

    fn sendable(&self) -> impl Future<Output = Answer<u32>> + Send;
}

impl<const N: usize> Service for Client<N> {
    fn peer(&self) -> &Peer {
        &self.peer
    }

    #[retry]
    async fn required(&mut self) -> Answer<u32> {
        self.peer.call()
    }

    #[retry]
    async fn sendable(&self) -> Answer<u32> {
        self.peer.call()
    }
}

#[tokio::test(start_paused = true)]
async fn in_traits() {
    assert_eq!(sent(Service::provided(&Client::<1>::default(), 1)).await, Ok(6));
    assert_eq!(sent(Service::required(&mut Client::<1>::default())).await, Ok(3));
    assert_eq!(sent(Client::<1>::default().sendable()).await, Ok(3));
}

#[async_trait]
trait DynService: Sync {
    fn peer(&self) -> &Peer;

    #[deadline("1m")]
    #[retry]
    async fn provided(&self, mut bag: Vec<u32>, name: String) -> Answer<(usize, usize)> {
        bag.push(1);
        self.peer().call()?;
        Ok((bag.len(), name.len()))
    }

    async fn required(&mut self, by: u32, pair: (u32, u32)) -> Answer<u32>;

    async fn shared(self: Arc<Self>) -> Answer<u32>;
}

#[async_trait]
impl<const N: usize> DynService for Client<N> {
    fn peer(&self) -> &Peer {
        &self.peer
    }

    #[retry(clone(by))]
    #[deadline("1s")]
    async fn required(&mut self, mut by: u32, (mut left, right): (u32, u32)) -> Answer<u32> {
        by += 1;
        left += right;
        if self.log.len() > 7 {
            return Ok(0);
        }
        self.log.push(by);
        Ok(left + by * self.peer.call()?)
    }

    #[deadline("1m")]
    #[retry]
    async fn shared(self: Arc<Self>) -> Answer<u32> {
        self.peer.call()
    }
}

#[tokio::test(start_paused = true)]
async fn under_async_trait() {
    let service: &dyn DynService = &Client::<1>::default();
    assert_eq!(sent(service.provided(vec![7], "name".into())).await, Ok((2, 4)));

    let mut client = Client::<1>::default();
    assert_eq!(sent(DynService::required(&mut client, 1, (10, 20))).await, Ok(36));
    assert_eq!(client.log, [2, 2, 2]);

    let client: Arc<dyn DynService> = Arc::new(Client::<1>::default());
    assert_eq!(sent(client.shared()).await, Ok(3));
}
