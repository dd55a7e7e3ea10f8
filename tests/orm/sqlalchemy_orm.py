#!/usr/bin/python3
"""SQLAlchemy and Alembic: tables, sessions, queries, upserts, reflection, schema changes."""

import datetime
import decimal
import os
import uuid

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (BigInteger, CheckConstraint, Column, Date, DateTime, Float,
                        ForeignKey, Identity, Index, Integer, Interval, LargeBinary, Numeric,
                        SmallInteger, String, Table, Text, UniqueConstraint, case, column,
                        create_engine, delete, exc, extract, func, insert, inspect, literal,
                        select, text, true, tuple_, update, values)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID, aggregate_order_by, array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import (declarative_base, joinedload, relationship, selectinload,
                            sessionmaker, subqueryload)
from sqlalchemy.orm.exc import StaleDataError

from tried import show

engine = create_engine(
    f"postgresql+psycopg2://{os.environ['PGUSER']}@{os.environ['PGHOST']}:"
    f"{os.environ['PGPORT']}/{os.environ['PGDATABASE']}", future=True)
Base = declarative_base()
Session = sessionmaker(engine, future=True)


class Author(Base):
    __tablename__ = 'author'
    id = Column(Integer, Identity(), primary_key=True)
    name = Column(String(40), nullable=False, unique=True)
    born = Column(Date)
    meta = Column(JSONB, server_default=text("'{}'::jsonb"))
    tags = Column(ARRAY(Text))
    created = Column(DateTime(timezone=True), server_default=func.now())
    books = relationship('Book', back_populates='author', cascade='all, delete-orphan')


book_genre = Table('book_genre', Base.metadata,
                   Column('book_id', ForeignKey('book.id'), primary_key=True),
                   Column('genre_id', ForeignKey('genre.id'), primary_key=True))


class Genre(Base):
    __tablename__ = 'genre'
    id = Column(SmallInteger, primary_key=True)
    name = Column(Text)


class Book(Base):
    __tablename__ = 'book'
    __table_args__ = (CheckConstraint('pages > 0', name='has_pages'),
                      UniqueConstraint('author_id', 'title'),
                      Index('by_price', 'price', 'title'))
    id = Column(BigInteger, primary_key=True)
    uid = Column(UUID(as_uuid=True), server_default=text('gen_random_uuid()'))
    title = Column(Text, index=True)
    price = Column(Numeric(10, 2))
    pages = Column(Integer)
    rating = Column(Float)
    author_id = Column(ForeignKey('author.id', ondelete='CASCADE'))
    raw = Column(LargeBinary)
    lent = Column(Interval)
    version = Column(Integer, nullable=False)
    author = relationship('Author', back_populates='books')
    genres = relationship('Genre', secondary=book_genre)
    __mapper_args__ = {'version_id_col': version}


def query(name, action):
    """Shows what it answers in a session of its own."""
    def run():
        with Session() as session:
            return action(session)
    show(name, run)


def rows(name, statement):
    query(name, lambda session: session.execute(statement).all())


def fill(session):
    genres = [Genre(id=i, name=f'g{i}') for i in range(3)]
    for i in range(6):
        author = Author(name=f'a{i}', born=datetime.date(1900 + i, 1, 1),
                        meta={'k': i, 'l': [1, i]}, tags=['x', f'y{i}'])
        author.books = [
            Book(title=f't{j}', price=decimal.Decimal('1.50') * j, pages=100 * j + i + 1,
                 rating=j / 3, raw=b'\x00\xff', lent=datetime.timedelta(days=j, seconds=i),
                 uid=uuid.UUID(int=10 * i + j), genres=genres[:j % 3 + 1]) for j in range(4)]
        session.add(author)
    session.commit()
    return session.scalar(select(func.count()).select_from(Book))


def loads():
    for load in (joinedload, selectinload, subqueryload):
        query(load.__name__, lambda session, load=load: [
            (author.name, sorted(book.title for book in author.books)) for author in
            session.scalars(select(Author).options(load(Author.books)).order_by(Author.id)
                            .limit(2)).unique()])
    query('stream', lambda session: sum(
        1 for _ in session.execute(select(Book).execution_options(yield_per=5))))


def reads():
    names = select(Author.name).order_by(Author.name)
    rows('grouped', select(Author.name, func.count(Book.id)).join(Book).group_by(Author.id)
         .order_by(Author.name))
    rows('json', names.where(Author.meta['k'].astext.cast(Integer) > 3))
    rows('json order', names.where(Author.meta['k'] > literal(2, JSONB)))
    rows('json contains', names.where(Author.meta.contains({'k': 2})))
    rows('json path', select(Author.meta[('l', '1')].astext).order_by(Author.id))
    rows('any', names.where(Author.tags.any('y3')))
    rows('contains', names.where(Author.tags.contains(['x'])))
    rows('overlap', names.where(Author.tags.overlap(['y1', 'y2'])))
    rows('element', select(Author.tags[2]).order_by(Author.id))
    rows('exists', names.where(Author.books.any(Book.pages > 304)))
    rows('has', select(func.count(Book.id)).where(Book.author.has(name='a1')))
    counted = select(Author.name, func.count().label('n')).join(Book).group_by(Author.name)
    with_counts = counted.cte('counts')
    rows('with', select(with_counts.c.name).where(with_counts.c.n > 3).order_by(text('1')))
    numbers = select(literal(1).label('n')).cte('numbers', recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 10))
    rows('recursive', select(func.sum(numbers.c.n)))
    dearest = (select(Book.title).where(Book.author_id == Author.id).order_by(Book.price.desc())
               .limit(2).lateral())
    rows('lateral', select(Author.name, dearest.c.title).join(dearest, true())
         .order_by(text('1, 2')))
    rows('window', select(Book.id, func.row_number().over(
        partition_by=Book.author_id, order_by=Book.price.desc())).order_by(Book.id))
    rows('distinct on', select(Book.author_id, Book.title).distinct(Book.author_id)
         .order_by(Book.author_id, Book.price.desc()))
    rows('case', select(case((Book.pages < 200, 's'), else_='l').label('z'), func.count())
         .group_by('z').order_by('z'))
    rows('filter', select(func.count().filter(Book.pages > 200),
                          func.sum(Book.price).filter(Book.pages < 0)))
    rows('rollup', select(Book.author_id, Book.title, func.count()).group_by(
        func.rollup(Book.author_id, Book.title)).order_by(text('1, 2')))
    rows('values', select(values(column('a', Integer), column('b', String), name='v').data(
        [(1, 'x'), (2, 'y')])).order_by(column('a')))
    rows('pairs', select(func.count(Book.id)).where(
        tuple_(Book.author_id, Book.title).in_([(2, 't1'), (3, 't2')])))
    rows('dates', select(extract('year', Author.born), func.date_trunc('month', Author.born),
                         func.age(Author.born, datetime.date(1890, 1, 1))).order_by(text('1')))
    rows('texts', select(func.concat(Book.title, '-', Book.id), Book.title.ilike('T%'),
                         Book.title.regexp_match('^t[12]$')).order_by(Book.id))
    rows('array_agg', select(func.array_agg(aggregate_order_by(Genre.id, Genre.id.desc()))))
    rows('unnest', select(func.unnest(array([1, 2, 3]))))
    rows('json_agg', select(func.json_agg(func.json_build_object('id', Genre.id, 'n', Genre.name)))
         .where(Genre.id == 1))


def insert_or_update(session):
    statement = upsert(Author).values([{'name': 'a1', 'born': datetime.date(2000, 1, 1)},
                                       {'name': 'new', 'born': None}])
    found = session.execute(statement.on_conflict_do_update(
        index_elements=['name'], set_={'born': statement.excluded.born}
    ).returning(Author.name, Author.born)).all()
    nothing = session.execute(upsert(Author).values(name='a1').on_conflict_do_nothing(
        constraint='author_name_key')).rowcount
    session.commit()
    return sorted(found), nothing


def change_a_stale_row(session):
    book = session.get(Book, 1)
    with Session() as other:
        other.execute(update(Book).where(Book.id == 1).values(version=9))
        other.commit()
    book.pages = 5
    try:
        session.commit()
    except StaleDataError:
        return 'stale'
    return 'written'


def fail_in_a_savepoint(session):
    session.add(Author(name='kept'))
    session.flush()
    try:
        with session.begin_nested():
            session.add(Author(name='a1'))
            session.flush()
    except exc.IntegrityError as error:
        session.commit()
        return error.orig.pgcode, session.scalar(select(func.count()).where(Author.name == 'kept'))
    return 'taken'


def delete_an_author(session):
    session.execute(delete(book_genre))
    session.delete(session.get(Author, 1))
    session.commit()
    return session.scalar(select(func.count()).select_from(Book))


def writes():
    query('upsert', insert_or_update)
    query('stale', change_a_stale_row)
    query('update', lambda session: session.execute(
        update(Book).where(Book.pages > 200).values(price=Book.price * 2)
        .execution_options(synchronize_session='fetch')).rowcount)
    query('update from', lambda session: session.execute(
        update(Book).where(Book.author_id == Author.id, Author.name == 'a2').values(rating=1)
        .execution_options(synchronize_session=False)).rowcount)
    query('returning', lambda session: sorted(session.execute(
        update(Book).where(Book.id < 4).values(pages=Book.pages + 1)
        .returning(Book.id, Book.pages).execution_options(synchronize_session=False)).all()))
    query('delete using', lambda session: session.execute(delete(book_genre).where(
        book_genre.c.book_id == Book.id, Book.author_id == 6)).rowcount)
    query('locked', lambda session: [book.id for book in session.scalars(
        select(Book).join(Author).where(Author.id == 1).order_by(Book.id)
        .with_for_update(of=Book, skip_locked=True))])
    query('savepoint', fail_in_a_savepoint)
    query('cascade', delete_an_author)
    query('many', lambda session: session.execute(
        insert(Genre), [{'id': 10 + i, 'name': str(i)} for i in range(50)]).rowcount)
    query('isolation', lambda session: session.connection(
        execution_options={'isolation_level': 'REPEATABLE READ'}).execute(
            text('SHOW transaction isolation level')).scalar())


def reflect():
    found = inspect(engine)
    show('tables', lambda: sorted(found.get_table_names()))
    for table in ('author', 'book', 'book_genre'):
        show(f'columns of {table}', lambda table=table: [
            (one['name'], str(one['type']), one['nullable'], one['default'], one.get('identity'))
            for one in found.get_columns(table)])
        show(f'key of {table}', lambda table=table: found.get_pk_constraint(table))
        show(f'references of {table}', lambda table=table: sorted(
            map(str, found.get_foreign_keys(table))))
        show(f'unique in {table}', lambda table=table: found.get_unique_constraints(table))
        show(f'checks of {table}', lambda table=table: found.get_check_constraints(table))
        show(f'indexes of {table}', lambda table=table: sorted(map(str, found.get_indexes(table))))
    show('schemas', lambda: sorted(found.get_schema_names()))
    show('comment', lambda: found.get_table_comment('book'))
    show('views', found.get_view_names)


def migrate():
    with engine.begin() as connection:
        context = MigrationContext.configure(
            connection, opts={'compare_type': True, 'compare_server_default': True})
        differences = compare_metadata(context, Base.metadata)
        change = Operations(context)
        change.add_column('book', Column('extra', String(10), server_default='q'))
        change.alter_column('book', 'extra', new_column_name='more', existing_type=String(10))
        change.alter_column('book', 'more', type_=Text(), nullable=False)
        change.alter_column('book', 'more', server_default=None)
        change.create_index('by_more', 'book', ['more'])
        change.drop_index('by_more')
        change.create_check_constraint('some_pages', 'book', 'pages >= 0')
        change.drop_constraint('some_pages', 'book')
        change.rename_table('genre', 'kind')
        change.rename_table('kind', 'genre')
        change.create_unique_constraint('one_more', 'book', ['more', 'id'])
        change.execute("COMMENT ON TABLE book IS 'printed'")
        change.drop_column('book', 'more')
        return differences, compare_metadata(context, Base.metadata)


show('create', lambda: Base.metadata.create_all(engine))
show('create again', lambda: Base.metadata.create_all(engine))
query('fill', fill)
loads()
reads()
writes()
reflect()
show('migrate', migrate)
show('drop', lambda: Base.metadata.drop_all(engine))
