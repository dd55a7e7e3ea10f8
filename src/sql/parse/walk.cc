// Walks by protobuf's own description of the structs: no list of node kinds to keep up to date.
#include "sql/parse/ast.h"

namespace omendb::sql {
namespace {

template <typename Visit>
void ForEachChild(ProtobufCMessage* message, const Visit& visit) {
  const ProtobufCMessageDescriptor* descriptor = message->descriptor;
  char* base = reinterpret_cast<char*>(message);
  for (unsigned i = 0; i < descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = descriptor->fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      size_t count = *reinterpret_cast<size_t*>(base + field.quantifier_offset);
      auto list = *reinterpret_cast<ProtobufCMessage***>(base + field.offset);
      for (size_t k = 0; k < count; ++k) {
        if (list[k] != nullptr) visit(list[k]);
      }
      continue;
    }
    if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *reinterpret_cast<uint32_t*>(base + field.quantifier_offset) != field.id) {
      continue;
    }
    auto child = *reinterpret_cast<ProtobufCMessage**>(base + field.offset);
    if (child != nullptr) visit(child);
  }
}

}  // namespace

void ForEachMessage(ProtobufCMessage* message,
                    const std::function<void(ProtobufCMessage*)>& visit) {
  ForEachChild(message, visit);
}

void WalkMessage(ProtobufCMessage* message, const NodeVisitor& visit) {
  ForEachChild(message, [&](ProtobufCMessage* child) {
    if (child->descriptor == &pg_query__node__descriptor) {
      WalkNode(reinterpret_cast<Node*>(child), visit);
    } else {
      WalkMessage(child, visit);
    }
  });
}

void WalkNode(Node* root, const NodeVisitor& visit) {
  if (root == nullptr || !visit(root)) return;
  WalkMessage(&root->base, visit);
}

void WalkAllMessages(ProtobufCMessage* message, const MessageVisitor& visit) {
  if (message == nullptr || !visit(message)) return;
  ForEachChild(message, [&](ProtobufCMessage* child) { WalkAllMessages(child, visit); });
}

namespace {

void PostorderChildren(ProtobufCMessage* message, const std::function<void(Node*)>& visit) {
  ForEachChild(message, [&](ProtobufCMessage* child) {
    PostorderChildren(child, visit);
    if (child->descriptor == &pg_query__node__descriptor) visit(reinterpret_cast<Node*>(child));
  });
}

}  // namespace

void WalkNodePostorder(Node* root, const std::function<void(Node*)>& visit) {
  if (root == nullptr) return;
  PostorderChildren(&root->base, visit);
  visit(root);
}

}  // namespace omendb::sql
