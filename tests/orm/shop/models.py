import uuid

from django.contrib.auth.models import User
from django.db import models


class Category(models.Model):
    name = models.CharField(max_length=50, unique=True)
    parent = models.ForeignKey('self', null=True, on_delete=models.SET_NULL)


class Tag(models.Model):
    label = models.SlugField()


class Product(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=100, db_index=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    weight = models.FloatField(null=True)
    category = models.ForeignKey(Category, on_delete=models.CASCADE)
    tags = models.ManyToManyField(Tag)
    attrs = models.JSONField(default=dict)
    created = models.DateTimeField()
    day = models.DateField(null=True)
    active = models.BooleanField(default=True)
    stock = models.PositiveIntegerField(default=0)
    blob = models.BinaryField(null=True)
    shelf_life = models.DurationField(null=True)

    class Meta:
        unique_together = [('name', 'category')]
        indexes = [models.Index(fields=['price', '-created'])]
        constraints = [models.CheckConstraint(check=models.Q(price__gte=0), name='price_positive')]


class Order(models.Model):
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    placed = models.DateTimeField()


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name='lines')
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.SmallIntegerField()
