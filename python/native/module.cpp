#include "pytree.h"

NB_MODULE(_native, m) {
  m.doc() = "Sable's native call path: pytrees, call signatures, random bits.";
  sable::bind_pytree(m);
  sable::bind_signature(m);
  sable::bind_threefry(m);
}
