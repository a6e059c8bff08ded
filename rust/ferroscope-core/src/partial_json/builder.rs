//! Builds the value of a document from its text as it arrives, in any store of values.
//!
//! Containers are created once, and modified only at the current position of the text. The changes by a feed are a list
//! of
//! [`Edit`]s in the order of the text, from which a reader can replay them.

use super::error::Error;
use super::parser::{Parser, Scalar, Sink};
use super::rules::Rules;

/// Creates and changes values. A value is a handle: two handles to one container refer to the same members.
pub trait Store {
    /// A handle to a value.
    type Value;
    /// The name of a member.
    type Key;
    /// The error of a failed creation or change.
    type Error;

    /// Creates an empty object.
    ///
    /// # Errors
    /// Returns the errors of the store, as all methods do.
    fn object(&mut self) -> Result<Self::Value, Self::Error>;
    /// Creates an empty array.
    fn array(&mut self) -> Result<Self::Value, Self::Error>;
    /// Creates a string.
    fn text(&mut self, text: &str) -> Result<Self::Value, Self::Error>;
    /// Creates a value without parts.
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<Self::Value, Self::Error>;
    /// Creates the name of a member.
    fn key(&mut self, name: &str) -> Self::Key;
    /// Returns another handle to a value.
    fn share(&self, value: &Self::Value) -> Self::Value;
    /// Returns another handle to a name.
    fn share_key(&self, key: &Self::Key) -> Self::Key;
    /// Returns the value at a slot of a container.
    fn get(
        &self,
        container: &Self::Value,
        slot: &Slot<Self::Key>,
    ) -> Result<Option<Self::Value>, Self::Error>;
    /// Sets the value at a slot of a container. The slot after the end of an array appends it.
    fn set(
        &mut self,
        container: &Self::Value,
        slot: &Slot<Self::Key>,
        value: Self::Value,
    ) -> Result<(), Self::Error>;
    /// Removes the last member or item of a container.
    fn remove(&mut self, container: &Self::Value, slot: &Slot<Self::Key>) -> Result<(), Self::Error>;
    /// Removes a container's handle to the string at a slot. The string will grow and be set again.
    fn release(&mut self, container: &Self::Value, slot: &Slot<Self::Key>) -> Result<(), Self::Error>;
    /// Returns the string with more text at its end.
    fn append(&mut self, text: Self::Value, more: &str) -> Result<Self::Value, Self::Error>;
}

/// The position of a value in its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot<K> {
    /// A member of an object.
    Name(K),
    /// An item of an array.
    Index(usize),
}

/// The position of a value in the document.
#[derive(Debug, Clone)]
pub enum Place<V, K> {
    /// The value is the document.
    Root,
    /// The value is in a container.
    In(V, Slot<K>),
}

impl<V, K> Place<V, K> {
    /// Returns the position in the container; `None` for the document.
    #[must_use]
    pub fn slot(&self) -> Option<&Slot<K>> {
        match self {
            Self::Root => None,
            Self::In(_, slot) => Some(slot),
        }
    }

    fn share<S: Store<Value = V, Key = K>>(&self, store: &S) -> Self {
        match self {
            Self::Root => Self::Root,
            Self::In(container, slot) => {
                let slot = match slot {
                    Slot::Name(key) => Slot::Name(store.share_key(key)),
                    Slot::Index(at) => Slot::Index(*at),
                };
                Self::In(store.share(container), slot)
            }
        }
    }
}

/// A kind of [`Edit`]. The numbers are part of the bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// An object opens and becomes the innermost container.
    OpenObject = 0,
    /// An array opens and becomes the innermost container.
    OpenArray = 1,
    /// The innermost container is complete.
    Close = 2,
    /// An incomplete string or scalar is shown.
    Grow = 3,
    /// A value is complete.
    Done = 4,
    /// A shown value is withdrawn.
    Drop = 5,
    /// The whole document is withdrawn.
    Reset = 6,
}

/// A change by a feed.
#[derive(Debug, Clone)]
pub struct Edit<V, K> {
    /// The kind of change.
    pub code: Code,
    /// The position of the change.
    pub place: Place<V, K>,
    /// The container or complete scalar. Read a growing string at its place, so that there is no second handle to it.
    pub value: Option<V>,
}

/// The reason why a feed failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<E> {
    /// The text is not JSON, or exceeds a limit.
    Json(Error),
    /// The store failed.
    Store(E),
}

/// The steps from the document to a value.
pub type Path<'a, K> = Vec<&'a Slot<K>>;

/// A [`Parser`], and the value so far.
#[derive(Debug, Clone)]
pub struct Builder<V, K> {
    parser: Parser,
    tree: Tree<V, K>,
}

#[derive(Debug, Clone)]
struct Tree<V, K> {
    root: Option<V>,
    open: Vec<Frame<V, K>>,
    /// The position of the open string, and the text that this feed added to it.
    text_place: Option<Place<V, K>>,
    text: String,
    text_is_new: bool,
    /// The position of the provisional scalar, and the value that it hides.
    provisional: Option<(Place<V, K>, Option<V>)>,
    edits: Vec<Edit<V, K>>,
}

/// An open container.
#[derive(Debug, Clone)]
struct Frame<V, K> {
    container: V,
    place: Place<V, K>,
    next: Next<K>,
}

/// The position of the next value in a container.
#[derive(Debug, Clone)]
enum Next<K> {
    /// Under the last key. The parser emits a key before each value.
    Member(Option<K>),
    Item(usize),
}

impl<V, K> Builder<V, K> {
    /// Creates an empty builder.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let tree = Tree {
            root: None,
            open: Vec::new(),
            text_place: None,
            text: String::new(),
            text_is_new: false,
            provisional: None,
            edits: Vec::new(),
        };
        Self { parser: Parser::new(rules), tree }
    }

    /// Adds a piece of the text. Returns whether the value changed.
    ///
    /// # Errors
    /// Returns an error of [`Parser::feed`] or of the store. The value remains readable.
    pub fn feed<S>(&mut self, store: &mut S, bytes: &[u8]) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.drive(store, |parser, feed| parser.feed(bytes, feed))
    }

    /// Ends the text. Returns whether the value changed.
    ///
    /// # Errors
    /// Returns an error of [`Parser::finish`] or of the store. The value remains readable.
    pub fn finish<S>(&mut self, store: &mut S) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.drive(store, |parser, feed| parser.finish(feed))
    }

    fn drive<S>(
        &mut self,
        store: &mut S,
        read: impl FnOnce(&mut Parser, &mut Feed<'_, S>) -> Result<(), Error>,
    ) -> Result<bool, Failure<S::Error>>
    where
        S: Store<Value = V, Key = K>,
    {
        self.tree.edits.clear();
        let mut feed = Feed { tree: &mut self.tree, store, failed: None };
        let outcome = read(&mut self.parser, &mut feed);
        if let Some(error) = feed.failed {
            return Err(Failure::Store(error));
        }
        self.tree.flush_text(store, false).map_err(Failure::Store)?;
        outcome.map_err(Failure::Json)?;
        Ok(!self.tree.edits.is_empty())
    }

    /// Returns the value so far; `None` until there is one.
    #[must_use]
    pub fn root(&self) -> Option<&V> {
        self.tree.root.as_ref()
    }

    /// Returns the parser, for offsets and completeness.
    #[must_use]
    pub const fn parser(&self) -> &Parser {
        &self.parser
    }

    /// Returns the edits of the last feed.
    #[must_use]
    pub fn edits(&self) -> &[Edit<V, K>] {
        &self.tree.edits
    }

    /// Returns the value at a place.
    ///
    /// # Errors
    /// Returns an error of the store.
    pub fn value_at<S>(&self, store: &S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        self.tree.get(store, place)
    }

    /// Returns the path from the document to the current position. Only the values on this path are incomplete.
    #[must_use]
    pub fn open_path(&self) -> Path<'_, K> {
        let tree = &self.tree;
        let mut path = tree.containers();
        let leaf = tree.text_place.as_ref().or(tree.provisional.as_ref().map(|(place, _)| place));
        path.extend(leaf.and_then(Place::slot));
        path
    }

    /// Returns the paths that the last feed changed, in order, and whether the values there are complete now. A
    /// withdrawn
    /// value counts as a change of its container.
    #[must_use]
    pub fn changes(&self) -> Vec<(Path<'_, K>, bool)> {
        // Walk backwards from the current position: a closed container was open before, and vice versa.
        let mut path = self.tree.containers();
        let mut found = Vec::with_capacity(self.tree.edits.len());
        for edit in self.tree.edits.iter().rev() {
            let slot = edit.place.slot();
            if matches!(edit.code, Code::OpenObject | Code::OpenArray) && slot.is_some() {
                path.pop();
            }
            let whole = path.iter().copied().chain(slot).collect();
            match edit.code {
                Code::Reset => break,
                Code::Drop => found.push((path.clone(), false)),
                Code::Done => found.push((whole, true)),
                Code::OpenObject | Code::OpenArray | Code::Grow => found.push((whole, false)),
                Code::Close => {
                    found.push((whole, true));
                    path.extend(slot);
                }
            }
        }
        found.reverse();
        found
    }
}

impl<V, K> Tree<V, K> {
    /// Returns the path to the innermost open container.
    fn containers(&self) -> Path<'_, K> {
        self.open.iter().filter_map(|frame| frame.place.slot()).collect()
    }

    /// Returns the position of the next value.
    fn place<S: Store<Value = V, Key = K>>(&self, store: &S) -> Place<V, K> {
        let Some(frame) = self.open.last() else { return Place::Root };
        let slot = match &frame.next {
            Next::Item(at) => Slot::Index(*at),
            Next::Member(Some(key)) => Slot::Name(store.share_key(key)),
            Next::Member(None) => return Place::Root,
        };
        Place::In(store.share(&frame.container), slot)
    }

    fn get<S>(&self, store: &S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => Ok(self.root.as_ref().map(|root| store.share(root))),
            Place::In(container, slot) => store.get(container, slot),
        }
    }

    fn set<S>(&mut self, store: &mut S, place: &Place<V, K>, value: V) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => {
                self.root = Some(value);
                Ok(())
            }
            Place::In(container, slot) => store.set(container, slot, value),
        }
    }

    /// Sets the next value, and returns its position.
    fn attach<S>(&mut self, store: &mut S, value: V) -> Result<Place<V, K>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let place = self.place(store);
        self.set(store, &place, value)?;
        self.advance(1);
        Ok(place)
    }

    /// Changes the position of the next value of an array.
    fn advance(&mut self, by: isize) {
        if let Some(Next::Item(at)) = self.open.last_mut().map(|frame| &mut frame.next) {
            *at = at.saturating_add_signed(by);
        }
    }

    fn open<S>(&mut self, store: &mut S, container: V, code: Code, next: Next<K>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let place = self.attach(store, store.share(&container))?;
        self.edit(code, place.share(store), Some(store.share(&container)));
        self.open.push(Frame { container, place, next });
        Ok(())
    }

    fn edit(&mut self, code: Code, place: Place<V, K>, value: Option<V>) {
        self.edits.push(Edit { code, place, value });
    }

    /// Appends the text that this feed added to the open string.
    fn flush_text<S>(&mut self, store: &mut S, done: bool) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let Some(place) = self.text_place.take() else {
            return Ok(());
        };
        if std::mem::take(&mut self.text_is_new) {
            let text = store.text(&self.text)?;
            self.set(store, &place, text)?;
        } else if !self.text.is_empty() {
            let text = self.take(store, &place)?;
            if let Some(text) = text {
                let text = store.append(text, &self.text)?;
                self.set(store, &place, text)?;
            }
        } else if !done {
            self.text_place = Some(place);
            return Ok(());
        }
        self.text.clear();
        if done {
            let text = self.get(store, &place)?;
            self.edit(Code::Done, place, text);
        } else {
            self.edit(Code::Grow, place.share(store), None);
            self.text_place = Some(place);
        }
        Ok(())
    }

    /// Removes a string from its place, because a string with one handle can grow without a copy.
    fn take<S>(&mut self, store: &mut S, place: &Place<V, K>) -> Result<Option<V>, S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        match place {
            Place::Root => Ok(self.root.take()),
            Place::In(container, slot) => {
                let text = store.get(container, slot)?;
                store.release(container, slot)?;
                Ok(text)
            }
        }
    }

    fn withdraw<S>(&mut self, store: &mut S, place: Place<V, K>, hidden: Option<V>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        if let Some(hidden) = hidden {
            self.set(store, &place, store.share(&hidden))?;
            self.edit(Code::Done, place, Some(hidden));
            return Ok(());
        }
        match &place {
            Place::Root => self.root = None,
            Place::In(container, slot) => {
                store.remove(container, slot)?;
                self.advance(-1);
            }
        }
        self.edit(Code::Drop, place, None);
        Ok(())
    }

    fn provisional<S>(&mut self, store: &mut S, scalar: Option<Scalar<'_>>) -> Result<(), S::Error>
    where
        S: Store<Value = V, Key = K>,
    {
        let known = self.provisional.take();
        let Some(scalar) = scalar else {
            return match known {
                Some((place, hidden)) => self.withdraw(store, place, hidden),
                None => Ok(()),
            };
        };
        let value = store.scalar(scalar)?;
        let (place, hidden) = match known {
            Some((place, hidden)) => {
                self.set(store, &place, value)?;
                (place, hidden)
            }
            None => {
                // A repeated key hides its earlier value.
                let hidden = match self.place(store) {
                    place @ Place::In(_, Slot::Name(_)) => self.get(store, &place)?,
                    _ => None,
                };
                (self.attach(store, value)?, hidden)
            }
        };
        self.edit(Code::Grow, place.share(store), None);
        self.provisional = Some((place, hidden));
        Ok(())
    }
}

/// A tree with its store. It stops at the first error of the store.
struct Feed<'a, S: Store> {
    tree: &'a mut Tree<S::Value, S::Key>,
    store: &'a mut S,
    failed: Option<S::Error>,
}

impl<S: Store> Feed<'_, S> {
    fn attempt(&mut self, act: impl FnOnce(&mut Tree<S::Value, S::Key>, &mut S) -> Result<(), S::Error>) {
        if self.failed.is_none() {
            self.failed = act(self.tree, self.store).err();
        }
    }
}

impl<S: Store> Sink for Feed<'_, S> {
    fn object(&mut self) {
        self.attempt(|tree, store| {
            let container = store.object()?;
            tree.open(store, container, Code::OpenObject, Next::Member(None))
        });
    }

    fn array(&mut self) {
        self.attempt(|tree, store| {
            let container = store.array()?;
            tree.open(store, container, Code::OpenArray, Next::Item(0))
        });
    }

    fn close(&mut self) {
        if let Some(frame) = self.tree.open.pop() {
            self.tree.edit(Code::Close, frame.place, Some(frame.container));
        }
    }

    fn key(&mut self, name: &str) {
        if let Some(Next::Member(key)) = self.tree.open.last_mut().map(|frame| &mut frame.next) {
            *key = Some(self.store.key(name));
        }
    }

    fn string(&mut self) {
        self.attempt(|tree, store| {
            tree.text.clear();
            tree.text_is_new = true;
            // Reserve the place now. The text is set at the end of the string or of the feed.
            let blank = store.scalar(Scalar::Null)?;
            tree.text_place = Some(tree.attach(store, blank)?);
            Ok(())
        });
    }

    fn grow(&mut self, more: &str) {
        self.tree.text.push_str(more);
    }

    fn end_string(&mut self) {
        self.attempt(|tree, store| tree.flush_text(store, true));
    }

    fn scalar(&mut self, scalar: Scalar<'_>) {
        self.attempt(|tree, store| {
            let value = store.scalar(scalar)?;
            let shown = store.share(&value);
            let place = match tree.provisional.take() {
                Some((place, _)) => {
                    tree.set(store, &place, shown)?;
                    place
                }
                None => tree.attach(store, shown)?,
            };
            tree.edit(Code::Done, place, Some(value));
            Ok(())
        });
    }

    fn provisional(&mut self, scalar: Option<Scalar<'_>>) {
        self.attempt(|tree, store| tree.provisional(store, scalar));
    }

    fn reset(&mut self) {
        self.tree.root = None;
        self.tree.open.clear();
        self.tree.edit(Code::Reset, Place::Root, None);
    }
}
