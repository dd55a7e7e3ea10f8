#!/usr/bin/python3
"""Django: migrations of its own applications, queries of every kind, schema changes, introspection.
"""

import datetime
import decimal
import io
import os
import uuid

import django
from django.conf import settings

settings.configure(
    SECRET_KEY='x', USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
    MIGRATION_MODULES={'shop': None},
    INSTALLED_APPS=['django.contrib.contenttypes', 'django.contrib.auth',
                    'django.contrib.sessions', 'django.contrib.postgres', 'shop'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql',
                           'NAME': os.environ['PGDATABASE'], 'USER': os.environ['PGUSER'],
                           'HOST': os.environ['PGHOST'], 'PORT': os.environ['PGPORT']}})
django.setup()

# pylint: disable=wrong-import-position
from django.contrib.auth.models import Group, Permission, User
from django.contrib.postgres.aggregates import ArrayAgg, BoolOr, JSONBAgg, StringAgg
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import (Avg, Case, CharField, Count, DateTimeField, Exists,
                              ExpressionWrapper, F, Max, Min, OuterRef, Q, StdDev, Subquery, Sum,
                              Value, When, Window)
from django.db.models.functions import (MD5, Abs, Cast, Ceil, Coalesce, Concat, ExtractQuarter,
                                        Greatest, Lag, Length, LPad, Mod, Rank, Reverse, Round,
                                        Sqrt, Substr, TruncMonth, Upper)
from shop.models import Category, Line, Order, Product, Tag
from tried import show

UTC = datetime.timezone.utc
products = Product.objects


def product(i, categories):
    return Product(
        id=uuid.UUID(int=i + 1), name=f'p{i}', price=decimal.Decimal(i * 7 % 50) / 4,
        weight=None if i % 5 == 0 else i / 3, category=categories[i % 4],
        attrs={'color': ['red', 'blue'][i % 2], 'n': i, 'deep': {'x': [1, 2, i]}},
        created=datetime.datetime(2024, 1 + i % 12, 1 + i % 28, i % 24, tzinfo=UTC),
        day=datetime.date(2024, 1 + i % 12, 1 + i % 28), active=i % 3 > 0, stock=i,
        blob=bytes([i, 0, 255]), shelf_life=datetime.timedelta(hours=i))


def fill():
    categories = [Category.objects.create(name=f'c{i}') for i in range(4)]
    categories[1].parent = categories[0]
    categories[1].save()
    tags = [Tag.objects.create(label=f't{i}') for i in range(3)]
    made = products.bulk_create([product(i, categories) for i in range(60)])
    for i, one in enumerate(made):
        one.tags.set(tags[:i % 4])
    users = [User.objects.create_user('bob', 'b@x.y', 'p'),
             User.objects.create_superuser('root', 'r@x.y', 'p')]
    for i in range(10):
        order = Order.objects.create(user=users[i % 2],
                                     placed=datetime.datetime(2024, 5, 1 + i, tzinfo=UTC))
        Line.objects.bulk_create([Line(order=order, product=made[(i * 3 + j) % 60], quantity=j + 1)
                                  for j in range(4)])
    return products.count()


def filters():
    for condition in (
            {'attrs__color': 'red'}, {'attrs__n__gt': 30}, {'attrs__deep__x__2': 7},
            {'attrs__contains': {'color': 'blue'}}, {'attrs__has_key': 'n'},
            {'name__icontains': 'P1'}, {'name__iexact': 'P1'}, {'name__regex': r'^p[0-4]$'},
            {'name__iregex': r'^P[0-4]$'}, {'stock__in': [1, 2, 3]}, {'tags__label': 't1'},
            {'created__year': 2024, 'created__month': 2}, {'created__week_day': 2},
            {'created__date': datetime.date(2024, 1, 1)}, {'created__hour__gte': 12},
            {'created__range': (datetime.datetime(2024, 3, 1, tzinfo=UTC),
                                datetime.datetime(2024, 6, 1, tzinfo=UTC))}):
        show(str(condition), products.filter(**condition).distinct().count)


def ordered(query, *names, flat=False, count=5):
    return list(query.order_by('stock').values_list(*names, flat=flat)[:count])


def reads():
    by_name = Category.objects.order_by('name')
    show('aggregate', lambda: sorted(products.aggregate(
        Sum('price'), Avg('stock'), Max('created'), Min('weight'), StdDev('price'),
        n=Count('category', distinct=True)).items()))
    show('annotate', lambda: list(by_name.annotate(
        n=Count('product'), s=Sum('product__price')).values_list('name', 'n', 's')))
    show('filtered', lambda: list(by_name.annotate(
        n=Count('product', filter=Q(product__active=True))).values_list('name', 'n')))
    show('select_related', lambda: [
        line.product.category.name
        for line in Line.objects.select_related('product__category').order_by('id')[:5]])
    show('prefetch', lambda: [
        (order.id, sorted(line.quantity for line in order.lines.all()))
        for order in Order.objects.prefetch_related('lines').order_by('id')[:3]])
    show('dates', lambda: list(products.dates('day', 'month'))[:3])
    show('datetimes', lambda: list(products.datetimes('created', 'week'))[:3])
    show('trunc', lambda: list(products.annotate(m=TruncMonth('created')).values('m').annotate(
        n=Count('id')).order_by('m'))[:2])
    show('extract', lambda: list(products.annotate(q=ExtractQuarter('created')).values(
        'q').annotate(n=Count('id')).order_by('q')))
    show('case', lambda: list(products.annotate(k=Case(
        When(stock__lt=20, then=Value('low')), default=Value('high'))).values('k').annotate(
            n=Count('id')).order_by('k')))
    show('subquery', lambda: list(Category.objects.annotate(dearest=Subquery(
        products.filter(category=OuterRef('pk')).order_by('-price', 'name').values('name')[:1])
    ).order_by('id').values_list('dearest', flat=True)))
    show('exists', lambda: Category.objects.filter(
        Exists(products.filter(category=OuterRef('pk'), price__gt=40))).count())
    show('window', lambda: list(products.annotate(r=Window(
        Rank(), partition_by='category', order_by=F('price').desc())).order_by(
            'category_id', 'r', 'name').values_list('name', 'r')[:5]))
    show('lag', lambda: ordered(
        products.annotate(r=Window(Lag('stock', 1), order_by=F('stock').asc())), 'stock', 'r'))
    names = products.values_list('name')
    show('union', lambda: sorted(names.filter(stock__lt=12).union(names.filter(stock__gt=57))))
    show('intersection', lambda: names.filter(stock__lt=30).intersection(
        names.filter(stock__gt=20)).count())
    show('distinct on', lambda: list(products.order_by('category_id', '-price', 'name').distinct(
        'category_id').values_list('category_id', 'name')))
    show('having', lambda: list(products.values('active').annotate(n=Count('id')).filter(
        n__gt=5).order_by('active').values_list('active', 'n')))
    show('iterator', lambda: sum(1 for _ in products.iterator(chunk_size=7)))
    show('explain', lambda: len(products.filter(stock=3).explain()) > 0)
    show('raw', lambda: [
        one.name for one in products.raw('SELECT * FROM shop_product ORDER BY stock LIMIT 2')])


def functions():
    show('text', lambda: ordered(products.annotate(
        u=Upper('name'), n=Length('name'), s=Substr('name', 2, 1), p=LPad('name', 5, Value('*')),
        r=Reverse('name'), m=MD5('name'), c=Concat('name', Value('-'), Cast('stock', CharField()))
    ), 'u', 'n', 's', 'p', 'r', 'm', 'c'))
    show('numbers', lambda: ordered(products.annotate(
        r=Round('price'), a=Abs(F('stock') - 30), m=Mod('stock', 7), q=Sqrt('stock'),
        c=Ceil('price'), g=Greatest('stock', Value(3)), w=Coalesce('weight', Value(0.0))
    ), 'r', 'a', 'm', 'q', 'c', 'g', 'w'))
    show('intervals', lambda: products.aggregate(Sum('shelf_life')))
    show('until', lambda: products.annotate(until=ExpressionWrapper(
        F('created') + F('shelf_life'), output_field=DateTimeField())).filter(
            until__gt=datetime.datetime(2024, 6, 1, tzinfo=UTC)).count())
    show('array_agg', lambda: list(Category.objects.annotate(
        a=ArrayAgg('product__stock', ordering='product__stock')).order_by('id').values_list(
            'a', flat=True)))
    show('string_agg', lambda: list(Category.objects.annotate(
        a=StringAgg('product__name', delimiter=',', ordering='product__name')).order_by(
            'id').values_list('a', flat=True)))
    show('bool_or', lambda: products.aggregate(b=BoolOr('active')))
    show('jsonb_agg', lambda: products.filter(stock__gt=56).aggregate(
        j=JSONBAgg('name', ordering='name')))


def refused(action):
    try:
        with transaction.atomic():
            action()
    except IntegrityError as error:
        return str(error).replace('\n', '|')
    return 'taken'


def protected():
    try:
        User.objects.filter(username='bob').delete()
    except models.ProtectedError as error:
        return len(error.protected_objects)
    return 'deleted'


def nested():
    with transaction.atomic():
        Tag.objects.create(label='outer')
        try:
            with transaction.atomic():
                Tag.objects.create(label='inner')
                raise ValueError
        except ValueError:
            pass
    return list(Tag.objects.order_by('id').values_list('label', flat=True))


def locked():
    with transaction.atomic():
        by_name = products.order_by('name')
        return [[one.name for one in query[:2]] for query in (
            by_name.select_for_update().filter(stock__lt=20),
            by_name.select_for_update(skip_locked=True, of=('self',)).select_related('category'),
            by_name.select_for_update(nowait=True, no_key=True))]


def set_weights():
    some = list(products.order_by('stock')[:10])
    for one in some:
        one.weight = 9.5
    products.bulk_update(some, ['weight'])
    return products.filter(weight=9.5).count()


def writes():
    show('update', lambda: products.filter(stock__lt=5).update(stock=F('stock') + 10,
                                                               price=F('price') * 2))
    show('get_or_create', lambda: Category.objects.get_or_create(name='c0')[1])
    show('update_or_create', lambda: Category.objects.update_or_create(
        name='c9', defaults={'parent': None})[1])
    show('bulk_update', set_weights)
    show('ignore_conflicts', lambda: len(Category.objects.bulk_create(
        [Category(name='c0'), Category(name='zz')], ignore_conflicts=True)))
    show('unique', lambda: refused(lambda: Category.objects.create(name='c0')))
    show('check', lambda: refused(lambda: products.create(
        name='x', price=-1, category_id=1, created=datetime.datetime(2024, 1, 1, tzinfo=UTC))
    ).split('|', maxsplit=1)[0])
    show('deferred key', lambda: refused(lambda: Line.objects.create(
        order_id=99999, product_id=uuid.UUID(int=1), quantity=1)).split('|', maxsplit=1)[1])
    show('nested', nested)
    show('for update', locked)
    show('delete orders', Order.objects.filter(id__lte=3).delete)
    show('delete category', Category.objects.filter(name='c3').delete)
    show('protected', protected)


def applications():
    show('permissions', lambda: (User.objects.get(username='root').has_perm('shop.add_line'),
                                 Permission.objects.count()))
    group = Group.objects.create(name='g')
    group.permissions.set(Permission.objects.order_by('id')[:3])
    show('group', group.permissions.count)
    session = SessionStore()
    session['a'] = 1
    session.save()
    show('session', lambda: SessionStore(session.session_key)['a'])


def changed_field(kind, name, model):
    kind.set_attributes_from_name(name)
    kind.model = model
    return kind


def change_schema():
    with connection.schema_editor() as editor:
        note = changed_field(models.CharField(max_length=20, default='n'), 'note', Product)
        text = changed_field(models.TextField(null=True), 'note', Product)
        remark = changed_field(models.TextField(null=True), 'remark', Product)
        editor.add_field(Product, note)
        editor.alter_field(Product, note, text)
        editor.alter_field(Product, text, remark)
        editor.remove_field(Product, remark)
        wide = changed_field(models.BigIntegerField(db_index=True), 'quantity', Line)
        editor.alter_field(Line, Line._meta.get_field('quantity'), wide)
        editor.alter_db_table(Tag, 'shop_tag', 'shop_label')
        editor.alter_db_table(Tag, 'shop_label', 'shop_tag')
        editor.alter_unique_together(Product, [('name', 'category')], [])
        index = models.Index(fields=['stock'], name='by_stock')
        editor.add_index(Product, index)
        editor.remove_index(Product, index)
        editor.add_constraint(Product, models.UniqueConstraint(
            fields=['name', 'category', 'stock'], name='three'))
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, 'shop_product')
    return sorted((name, tuple(one['columns']), one['primary_key'], one['unique'], one['check'],
                   one['index'], one['foreign_key']) for name, one in found.items())


def introspect():
    with connection.cursor() as cursor:
        show('sequences', lambda: connection.introspection.get_sequences(cursor, 'shop_line'))
        show('description', lambda: connection.introspection.get_table_description(
            cursor, 'shop_product'))
    written = io.StringIO()
    call_command('inspectdb', stdout=written)
    print(written.getvalue())


call_command('migrate', verbosity=0)  # Whose tables those of the shop refer to.
call_command('migrate', run_syncdb=True, verbosity=0)
show('fill', fill)
reads()
filters()
functions()
writes()
applications()
introspect()
show('change schema', change_schema)
call_command('flush', interactive=False, verbosity=0)
show('flushed', products.count)
