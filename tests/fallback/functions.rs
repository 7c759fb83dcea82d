//! Methods, owned arguments that the body only reads, `&mut`, traits.

use super::*;

struct Shop {
    bestsellers: Vec<String>,
    asked: u32,
}

impl Shop {
    #[steadfast::fallback(Self::bestsellers)]
    async fn recommendations(&self, user: String) -> io::Result<Vec<String>> {
        sleep(SECOND).await;
        Err(down()).map(|()| vec![user.clone()])
    }

    async fn bestsellers(&self, user: String) -> io::Result<Vec<String>> {
        sleep(SECOND).await;
        let mut all = self.bestsellers.clone();
        all.push(user);
        Ok(all)
    }

    #[steadfast::fallback(Self::count)]
    async fn ask(&mut self, answer: Option<u32>) -> io::Result<u32> {
        self.asked += 1;
        answer.ok_or_else(down)
    }

    fn count(&mut self, _: Option<u32>) -> u32 {
        self.asked += 10;
        self.asked
    }

    /// Tiers that read, that write, and an expression, one after the other.
    #[steadfast::fallback(Self::refuses, Self::reads, expr = self.asked + 100)]
    async fn ask_in_turn(&mut self, log: &mut Vec<u32>) -> io::Result<u32> {
        self.asked += 1;
        log.push(self.asked);
        Err(down())
    }

    fn refuses(&mut self, log: &mut Vec<u32>) -> io::Result<u32> {
        self.asked += 1;
        log.push(self.asked);
        Err(down())
    }

    async fn reads(&self, log: &[u32]) -> io::Result<u32> {
        sleep(SECOND).await;
        log.get(2).copied().ok_or_else(down)
    }
}

#[async_trait::async_trait]
trait Prices {
    async fn price(&self, movie: &str) -> io::Result<usize>;
    async fn raise(&mut self, by: u32) -> io::Result<u32>;
}

#[async_trait::async_trait]
impl Prices for Shop {
    #[steadfast::fallback(list_price)]
    async fn price(&self, movie: &str) -> io::Result<usize> {
        let _ = movie;
        Err(down())
    }

    #[steadfast::fallback(Self::raised, expr = self.asked + by)]
    async fn raise(&mut self, by: u32) -> io::Result<u32> {
        self.asked += by;
        Err(down())
    }
}

impl Shop {
    fn raised(&mut self, by: u32) -> io::Result<u32> {
        self.asked += by;
        Err(down())
    }
}

fn list_price(shop: &Shop, movie: &str) -> usize {
    shop.bestsellers.len() + movie.len()
}

#[steadfast::fallback(empty)]
async fn generic<T: Send + Sync, I>(items: &[T], more: I) -> io::Result<Vec<I>>
where
    I: Send + Sync,
{
    let _ = (items, &more);
    Err(down())
}

fn empty<T, I>(items: &[T], more: I) -> Vec<I> {
    assert_eq!(items.len(), 1);
    vec![more]
}

#[tokio::test(start_paused = true)]
async fn of_every_shape() {
    let mut shop = Shop { bestsellers: vec!["Alien".to_owned()], asked: 0 };
    let served = shop.recommendations("Ripley".to_owned()).await.expect("the fallback");
    assert_eq!(served, ["Alien", "Ripley"]);
    assert_eq!(shop.ask(Some(3)).await.expect("it is well"), 3);
    assert_eq!(shop.ask(None).await.expect("the fallback"), 12);
    let mut log = Vec::new();
    assert_eq!(shop.ask_in_turn(&mut log).await.expect("the last of them"), 114);
    assert_eq!(log, [13, 14]);
    assert_eq!(shop.price("Alien").await.expect("the fallback"), 6);
    assert_eq!(shop.raise(100).await.expect("the last of them"), 314);
    assert_eq!(generic(&[1], 'x').await.expect("the fallback"), ['x']);
}

#[test]
fn stay_send() {
    fn send<T: Send>(_: &T) {}
    let mut shop = Shop { bestsellers: Vec::new(), asked: 0 };
    send(&shop.recommendations(String::new()));
    send(&shop.price(""));
    send(&shop.ask(None));
}
